"""Talk about money: offers to pay outside the marketplace, and the ordinary talk that uses the same words."""

from __future__ import annotations

from marketplace.grammar import Family

#: Asks to pay or trade outside.
PROPOSE = Family(
    "payment.propose",
    {
        "ja": (
            "{greet}{fee_reason}、{off_channel}で{please}",
            "{off_channel}にしてもらえれば{discount}します(が、いかがですか|よ|)",
            "一度(キャンセル|取り消し)して、(直接取引|直接のやり取り)に{can_you}",
            "{fee_reason}(アプリの外|サイトの外|ここ以外)で(取引|決済|お支払い){can_you}",
            "{greet}{off_channel}(は|での支払いは){can_you}その方が{discount}できます",
            "購入ボタンは押さずに{off_channel}で{please}",
            "代金は{bank}に{transfer}で(送って|払って|入れて)ください",
            "直接お会いして現金で(払いたい|お支払いしたい|渡したい)のですが{can_you}",
            "{pay_app}で送って(いただけたら|もらえたら)すぐ発送します",
            "ここを通さず{off_channel}なら{discount}で(譲ります|お譲りできます|どうぞ)",
            "{greet}専用を消すので、代わりに{off_channel}で(決済して|支払って)もらえますか",
            "{fee_reason}個人的に(買わせて|売らせて|取引させて)ください",
            "お支払いなんですが、(こちらの|私の)口座に{transfer}して(もらう|いただく)ことは{can_you}",
            "{price}円を{pay_app}で(先に|直接)もらえれば他の人より優先します",
            "システムを(使わない|通さない)取引に(切り替えません|変えません)か？{discount}します",
            "半分は{off_channel}、残りはここで払う形に{can_you}",
            "(追加分|差額|送料)は別で{off_channel}して(ください|もらえますか)",
            "キャンセル申請を(送ります|出します)ので、その後{off_channel}で{please}",
            "{greet}{pay_app}(持って|使って)ますか？そっちで払った方が安くなりますよ",
            "販売手数料の分を(値引き|安く)したいので{transfer}先を送ってもいいですか",
            "アプリだと{price}円ですが、{off_channel}なら{discount}にできます",
            "(外で|別のところで|裏で)払ってくれるなら{discount}しますよ",
            "お金は{off_channel}で先払いに(して|させて)ください。{carrier}で送ります",
            "正直{fee_reason}、振り込んでもらった方が助かります",
            "(取引画面|決済画面)は無視して、{bank}の口座へ(入金|送金)を{please}",
        ),
        "en": (
            "{greet}{fee_reason}, could you pay by {off_channel}?",
            "I can give you {discount} if you pay with {off_channel}",
            "let's cancel here and deal (directly|privately|off the app), {fee_reason}",
            "would you take {off_channel} instead of paying (here|through the site)?",
            "{greet}don't press buy, just send me the money by {off_channel} {please}",
            "if you do {off_channel} I'll ship it {day}",
            "can we (meet|meet up) and do cash? {fee_reason}",
            "I'd rather not use the app's checkout, {off_channel} works better",
            "pay {price} straight to my (bank|account) and I'll give you {discount}",
            "{greet}do you have {pay_app}? it's cheaper for both of us",
            "half here and half by {off_channel}, ok?",
            "I'll take the listing down, you send {price} via {off_channel}",
            "send the rest (of it|of the money) through {off_channel} {please}",
            "skip the checkout and use {off_channel}, {discount} for you",
            "{fee_reason} so I only (do|accept) {off_channel}",
            "could I pay you outside of here? {off_channel} maybe",
            "request a cancellation and then wire me {price}, I'll knock {price_off} off",
            "off the books it's {discount}, just use {off_channel}",
            "why give them a cut? {off_channel} and we both win",
            "transfer it to {bank} first and I'll post it by {carrier}",
        ),
    },
)

#: Presses on after hesitation. Harmless words: only what came before makes them a violation.
PUSH = Family(
    "payment.push",
    {
        "ja": (
            "大丈夫ですよ、(みなさん|みんな)そうされています",
            "(よくある|いつもの)ことなので(心配|問題)ありません",
            "何度もやっていますが(一度も|今まで)トラブルはないです",
            "安心してください、(すぐ|ちゃんと)送りますので",
            "(問題|心配)ないです。前の方も(そう|同じ)でした",
            "気にしなくて(いい|大丈夫)ですよ、簡単なので",
            "その方が早いですし、(お得|楽)ですよ",
            "私はいつもそうして(います|ますよ)",
            "(時間|手間)もかからないので(ぜひ|おすすめです)",
            "一回やれば(わかります|慣れます)よ",
        ),
        "en": (
            "don't worry, (everyone|everybody) does it",
            "I've done it many times, never a problem",
            "it's totally fine, (trust me|really)",
            "it's quicker that way and easier",
            "no risk at all, the last person did the same",
            "I always do it like that",
            "it only takes a minute, you'll see",
            "honestly it is no big deal",
            "relax, it works every time",
            "it's the normal way, don't overthink it",
        ),
    },
)

#: Account details: who writes them and when decides.
BANK_DETAILS = Family(
    "payment.bank_details",
    {
        "ja": (
            "{bank} {branch} {account} です",
            "{bank}の{branch}、{account}、名義は{person}です",
            "口座は{bank}、{account}になります",
            "{bank}{branch}です。番号は{digits7}です。{please}",
            "{account}（{bank}）です。(ご確認ください|よろしくお願いします)",
            "(こちら|下記)です→ {bank} {branch} {account}",
            "名義{person}、{bank}、番号{digits7}でお願いします",
            "{bank}に口座があります。{branch}の{account}です",
            "口座番号は{digits7}、{bank}の{branch}です",
            "{bank} {account} {person} (です|でお願いします)",
        ),
        "en": (
            "{bank}, {account}",
            "it's {bank}, {account}, name {person}",
            "here are the details: {account}, {bank}",
            "account name {person}, {account}",
            "{bank} - {account}, {please}",
            "the account is with {bank}: {account}",
            "use {account} at {bank}",
            "details: {person}, {bank}, {account}",
            "my details are {account}, {bank}, {person}",
            "{account}. The bank is {bank}",
        ),
    },
)

ASK_BANK = Family(
    "payment.ask_bank",
    {
        "ja": (
            "口座番号を教えて(ください|もらえますか|いただけますか)",
            "(どちら|どこ)の口座に(振り込めば|送れば)いいですか？",
            "口座の(情報|詳細)を(送って|お知らせ)ください",
            "振込先を教えて(ください|いただけますか)",
            "銀行名と(支店|口座番号)を(お願いします|教えてください)",
            "(お振込先|振込先)はどちらになりますか？",
            "名義と口座番号を(いただけますか|送ってください)",
            "口座を(連絡|指定)してください。(今日|明日)入れます",
            "どの銀行(をお使い|の口座)ですか？",
            "(番号|口座番号)がわかれば(すぐ|今日中に)送金します",
        ),
        "en": (
            "what's your account number?",
            "which account should I send it to?",
            "send me your bank details {please}",
            "where should the money go?",
            "could I have the account name and number?",
            "give me the bank details and I'll do it {day}",
            "what bank are you with?",
            "I need the account number to send it",
            "please share the account it should go to",
            "account and sort code {please}?",
        ),
    },
)

#: Quoted or refused: the words are there, the violation is not.
REFUSE = Family(
    "payment.refuse",
    {
        "ja": (
            "申し訳ありませんが{off_channel}は(規約違反|禁止)なので(できません|お断りします)",
            "直接取引は(お受けしていません|ご遠慮ください|できません)。アプリ内で{please}",
            "{off_channel}は怖いので(普通に|アプリで)(買います|払います)",
            "アプリの外での(支払い|取引)は(しない|やらない)ことにしています",
            "すみません、手数料がかかってもここで(決済|購入)します",
            "(運営|事務局)に止められているので{off_channel}は(無理です|なしで)",
            "{transfer}は(使えません|対応していません)。通常の購入手続きを{please}",
            "外部の決済は(トラブルになる|危ない)ので(遠慮します|やめておきます)",
            "{pay_app}でのやり取りは(お断り|ご遠慮)しています",
            "規約で(決まっている|禁止されている)ので、ここの支払いで{please}",
            "キャンセルして直接、というのは(違反|NG)ですよね。やめておきます",
            "口座は(教えられません|お伝えできません)。このまま進めましょう",
            "{off_channel}は(しません|いたしません)。アプリの(決済|支払い)だけです",
            "外での(支払い|やり取り)は(保証がない|補償されない)ので(お断り|ご遠慮)します",
            "いえ、{off_channel}は(なしで|結構です)。通常の手続きで買います",
            "{discount}でも{off_channel}は(無理です|できません)",
            "(違反|規約違反)になりたくないので{off_channel}は(やめます|断ります)",
            "{transfer}を求められても(応じられません|払いません)",
            "ここの決済以外は(使いません|お受けしません)",
            "キャンセルは(しない|受けない)ので、このまま(購入|支払い)を{please}",
            "{pay_app}は(持っていない|使わない)ですし、外で払うのは(怖い|嫌)です",
            "(運営|事務局)を通さない取引は(しません|お断りです)",
        ),
        "en": (
            "sorry, {off_channel} is against the rules",
            "I only sell through the app, no {off_channel} {please}",
            "I don't deal outside of here, too risky",
            "no thanks, I'd rather pay the fee and stay on the site",
            "I can't take {off_channel}, please use the checkout",
            "the help page says no {off_channel}, so I'll pay here",
            "paying outside isn't allowed, let's keep it here",
            "I won't cancel, buying directly is not allowed",
            "not comfortable with {off_channel}, I'll buy it the normal way",
            "please don't ask for {off_channel}, my account could be closed",
            "{off_channel} isn't protected, so no",
            "I'd lose buyer protection with {off_channel}, no thanks",
            "I won't pay outside the checkout",
            "even with {discount}, no {off_channel}",
            "the site's checkout only, sorry",
            "no side deals {please}",
        ),
    },
)

#: Talk of payment that has nothing to hide.
ORDINARY = Family(
    "payment.ordinary",
    {
        "ja": (
            "コンビニ払い(を選んだ|にした)ので、(今日中|明日まで)にお支払いします",
            "(アプリの|取引画面の)支払い方法は(銀行振込|ATM払い)でも大丈夫ですか？",
            "手数料が引かれるので(これ以上の|)お値下げは(難しい|できない)です",
            "売上の振込申請をしたら手数料が{digits3}円でした",
            "(代引き|着払い)には対応していますか？",
            "(クレジットカード|キャリア決済)のエラーで支払いが少し遅れます",
            "取引画面から(お支払い|決済)が完了しました。ご確認ください",
            "PayPayの残高は(アプリの支払い画面|決済方法の一覧)で選べますか？",
            "(直接|玄関先で)受け取りたいので時間指定を{please}",
            "送料込みで{price}円ですか？",
            "現金は入っていません、(財布|長財布)のみの販売です",
            "ポイントで(払った|支払った)ので金額が少し違って見えるかもしれません",
            "ATMが混んでいて、(振込|支払い)は{day}になりそうです",
            "お支払い期限は(いつまで|明日まで)でしょうか？",
            "今回は(手数料|送料)を私が持ちますので{price}円のままで{please}",
        ),
        "en": (
            "I chose convenience store payment, will pay {day}",
            "my card was declined, I'll try again {day}",
            "the checkout says bank transfer is possible, is that ok?",
            "after fees I can't go lower than {price}",
            "payment done through the app, please check",
            "is PayPal one of the options in the checkout?",
            "there is no cash inside, the listing is for the wallet only",
            "is {price} with shipping included?",
            "I paid with my balance on the site",
            "how long do I have to pay?",
            "can I pay with points in the app?",
            "the transfer fee for my payout was {price_off}, so no discount",
        ),
    },
)

#: Tells of someone else's offer.
REPORT = Family(
    "payment.report",
    {
        "ja": (
            "前の購入者に{off_channel}を(求められて|頼まれて)通報しました",
            "「{off_channel}で」と言われたことがありますが(断りました|お断りしました)",
            "プロフィールに書いた通り、{off_channel}のご相談は(お断り|ブロック)しています",
            "直接取引を(持ちかける|すすめる)方が(多くて|いて)困っています",
            "(手数料|振込)目当ての詐欺が多いらしいので(気をつけて|お互い気をつけましょう)",
            "以前{pay_app}で送ってと言われて(怖かったです|びっくりしました)",
            "口座を聞いてくる(人|アカウント)がいたら事務局に(報告|連絡)してください",
            "他の方から外で払いたいと言われましたが{please}とは言えないので(断り|お断りし)ました",
            "(友人|知り合い)が{transfer}で(騙された|被害にあった)ので、アプリ内だけにしています",
            "注意書きに「{off_channel}禁止」と(書いて|入れて)おきました",
        ),
        "en": (
            "a previous buyer asked for {off_channel} and I reported it",
            "someone told me to pay by {off_channel}, I said no",
            "as my profile says, no {off_channel}",
            "people keep asking me to deal outside, it's annoying",
            "beware of people who want {off_channel}",
            "my friend got scammed by {off_channel}, so only here for me",
            "if anybody asks for your bank account, report them",
            "last week a buyer wanted {off_channel}, support told me to refuse",
            "the safety page warns about {off_channel}",
            "I blocked someone who wanted me to cancel and pay by {off_channel}",
        ),
    },
)

#: The marketplace's own refund after a cancellation goes to a bank account.
REFUND = Family(
    "payment.refund",
    {
        "ja": (
            "キャンセルの返金は口座に(振り込まれ|入り)ますか？",
            "返金先の口座を(事務局に|アプリに)登録しました",
            "返金は(残高|ポイント)に戻るそうです",
            "(事務局|サポート)から返金の案内が来ました",
            "取り消しになったので(返金|払い戻し)をお待ちください",
        ),
        "en": (
            "will the refund go to my bank account?",
            "support says the refund takes three days",
            "the order was cancelled, the refund is on its way",
            "I registered my account for the refund",
        ),
    },
)
