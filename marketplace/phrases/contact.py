"""Talk about reaching each other: moving the conversation elsewhere, and words that only look like it."""

from __future__ import annotations

from marketplace.grammar import Family

ASK = Family(
    "contact.ask",
    {
        "ja": (
            "{greet}{app}(交換|のID交換)しませんか？",
            "{app}で(やり取り|連絡|お話)したいです(。ID教えてください|)",
            "よかったら{app}の(ID|アカウント)教えて(ください|もらえますか)",
            "(ここ|アプリ)だと(見づらい|通知が来ない)ので{app}で{please}",
            "直接(連絡|お話)したいので(電話番号|携帯番号)を教えてください",
            "{app}(やって|使って)ますか？そちらで(詳しく|続きを)話しましょう",
            "メールアドレスを(教えて|送って)いただければ(写真|詳細)を送ります",
            "個人的に(連絡|仲良く)したいので{app}(追加|登録)して(ください|ほしいです)",
            "今後もお願いしたいので(連絡先|メアド)を(交換|教えて)いただけませんか",
            "電話で(話した|説明した)方が早いので番号を{please}",
            "{app}のQRを(送るので|出すので)読み取って(ください|もらえますか)",
            "(急ぎ|至急)なので{app}で{can_you}",
            "次から{app}に(メッセージ|連絡)(ください|もらえますか)",
            "{greet}DMできる(アカウント|SNS)は(あります|お持ちです)か？",
            "ここ以外で(繋がれる|連絡できる)方法は(あります|ない)か？{app}とか",
            "(写真|動画)が送れないので{app}に(移動|移り)ませんか",
            "他の出品は{app}で(案内|紹介)しています、(見て|登録して)ください",
            "プロフィールの(文字列|英数字)を{app}で検索してください",
            "{app}教えて{laugh}",
            "お友達になりたいので{app}のIDを{please}",
            "連絡は{app}で(取り|し)ましょう、ここは(消されるので|不便なので)",
            "返事が早いので{app}の方で{please}",
        ),
        "en": (
            "{greet}can we talk on {app}?",
            "what's your {app}?",
            "add me on {app} {please}",
            "could you give me your (phone number|email)?",
            "do you use {app}? easier to talk there",
            "let's move this chat to {app}",
            "I'd like to stay in touch, do you have {app}?",
            "notifications here don't work, message me on {app}",
            "can I (call|text) you? what's the number",
            "send me your email and I'll send (photos|videos)",
            "scan my {app} code and write to me there",
            "this app is slow, {app} instead?",
            "search the name in my profile on {app}",
            "is there another way to reach you, maybe {app}?",
            "hit me up on {app}{laugh}",
            "we should continue on {app}, they delete messages here",
            "I have more items, DM me on {app}",
            "give me a number I can reach you at",
        ),
    },
)

GIVE = Family(
    "contact.give",
    {
        "ja": (
            "{app}は「{handle}」です。(追加|登録)して(ください|ね)",
            "電話は{phone}です。いつでも(どうぞ|かけてください)",
            "メールは{email}です(。そちらに{please}|)",
            "{app} ID→{handle}",
            "{handle} で検索して(ください|もらえれば出ます){laugh}",
            "連絡は{phone}まで{please}",
            "(ここに|こちらへ)連絡ください {email}",
            "{app}@{handle} こちらに写真を送ります",
            "私の{app}のIDは{handle}なので(申請|フォロー)してください",
            "何かあれば{phone}に(ショートメール|電話)ください",
            "詳しくは{email}に(メール|ご連絡)ください",
            "IDは {handle} （緑のアプリ）です",
            "{handle}（{app}）に(メッセージ|DM)ください",
            "番号{phone}、(夜なら|夕方以降は)出られます",
            "写真のすみに{app}のIDを載せておきました、{handle}です",
        ),
        "en": (
            "my {app} is {handle}",
            "text me at {phone}",
            "my email is {email}, write to me there",
            "{app}: {handle}",
            "look for {handle} on {app}",
            "call {phone} any time",
            "you can reach me at {email}",
            "here's my number {phone}",
            "it's {handle} on the green app",
            "add {handle} ({app}) and say hi",
            "ping me: {email}",
            "I put my {app} in the photo, {handle}",
        ),
    },
)

#: A bare name or code: an answer to whatever was asked.
BARE = Family(
    "contact.bare",
    {
        "ja": (
            "{handle}です",
            "{handle} でお願いします",
            "「{handle}」です",
            "{handle}",
            "これです→{handle}",
            "はい、{handle}です",
        ),
        "en": ("{handle}", "it's {handle}", "sure, {handle}", "{handle} please", "here: {handle}"),
    },
)

ADDED = Family(
    "contact.added",
    {
        "ja": (
            "(追加|申請)しました",
            "送りました、(見て|確認して)ください",
            "(今|さっき)送ったので確認お願いします",
            "届いたか(見て|確認して)ください",
            "登録しました、返信待ってます",
            "(メッセージ|連絡)しました",
        ),
        "en": (
            "added",
            "sent, please check",
            "just sent it, did it arrive?",
            "done, have a look",
            "I wrote to you",
        ),
    },
)

#: Asked for a label, an engraving or a warranty card: ordinary while the parcel is being prepared.
ASK_ADDRESS = Family(
    "contact.ask_address",
    {
        "ja": (
            "送り状に(書く|必要な)ので、(お名前|ご住所)と電話番号を教えてください",
            "(住所|お届け先)と電話番号を(お願いします|いただけますか)",
            "宛名と連絡先の電話番号を教えて(ください|いただけますか)",
            "{carrier}の伝票に電話番号が(必要|いる)そうです。教えてもらえますか？",
            "お名前、郵便番号、ご住所、お電話番号を(送って|お知らせ)ください",
            "電話番号(も|を)教えてもらえますか？",
            "(連絡|配達)のつく電話番号を(ください|{please})",
            "氏名と電話番号が(わかれば|あれば)(助かります|すぐ手配します)",
            "ご住所は(どちら|どこ)ですか？",
            "電話番号の(記入|記載)が要るようなので{please}",
        ),
        "en": (
            "what name, address and phone number should I use?",
            "could you send your address and number?",
            "the label needs a phone number, what's yours?",
            "{carrier} asks for a number, could you give me one?",
            "your full name, street and phone {please}",
            "where do you live and what's your phone?",
            "I need your number and address",
            "name and phone number {please}",
            "can I have a phone number that reaches you?",
            "address and contact number, thanks",
        ),
    },
)

ADDRESS = Family(
    "contact.address",
    {
        "ja": (
            "{address} {person} {phone} です",
            "電話番号は{phone}です",
            "{person}、{address}、{phone}です。{please}",
            "(番号|電話)は{phone}になります",
            "{address}です。電話は{phone}",
            "{phone} {person}です",
            "{person}です。{phone}に{please}",
            "住所は{address}、番号は{phone}です",
            "{phone}です。よろしくお願いします",
            "はい、{phone}です",
        ),
        "en": (
            "{person}, {address}, {phone}",
            "the number is {phone}",
            "my phone is {phone}, address {address}",
            "{phone}, {person}",
            "{address}. Phone {phone}",
            "it's {phone}, thanks",
            "number: {phone}, name: {person}",
            "sure, {phone}",
            "{person} here, {phone}",
            "use {phone} and {address}",
        ),
    },
)

REFUSE = Family(
    "contact.refuse",
    {
        "ja": (
            "{app}の交換は(お断り|ご遠慮)して(います|おります)",
            "すみません、連絡先は(教えられません|お伝えできません)",
            "やり取りは(ここ|アプリ内)だけで{please}",
            "{app}は(規約違反|禁止)になるので(できません|やめておきます)",
            "電話番号は(お伝えしていません|勘弁してください)",
            "このメッセージで(十分|大丈夫)です、{app}は(使って|やって)いません",
            "外部のSNSには(誘導|案内)しないでください",
            "(個人情報|連絡先)の交換は(しない|お断りする)ことにしています",
            "{app}はちょっと(怖い|抵抗がある)ので、ここで{please}",
            "メールや{app}での連絡は(できません|ご遠慮ください)",
        ),
        "en": (
            "I don't exchange contacts, sorry",
            "let's keep it here, no {app} {please}",
            "{app} isn't allowed for trades",
            "I won't give out my number",
            "I prefer to talk in this chat only",
            "please don't ask for my {app}",
            "not comfortable sharing my email, sorry",
            "the rules say no {app}, so here only",
            "no {app}, this chat is fine",
            "sorry, no phone numbers",
        ),
    },
)

#: The same letters, another meaning.
LOOKALIKE = Family(
    "contact.lookalike",
    {
        "ja": (
            "(側面|袖)の白いラインが(きれい|かわいい)ですね",
            "LINE(FRIENDS|スタンプ)の(ぬいぐるみ|グッズ)も出品していますか？",
            "オンライン(授業|ゲーム)で使う予定です",
            "インスタで(見た|見かけた)(服|もの)と同じで嬉しいです",
            "インスタ映えしそうな(色|デザイン)ですね",
            "メール便で(送って|発送して)もらえますか？",
            "電話(ケース|カバー)の機種を教えてください",
            "発送(通知|連絡)のメールが届きました",
            "Xサイズ(の在庫|)はありますか？",
            "(アイライン|ラインストーン)は(取れて|はがれて)いませんか？",
            "追跡番号は{digits4}-{digits4}-{digits4}です",
            "{digits4}年製の(ライン|モデル)ですか？",
            "SIMフリーですか？電話は(できます|つながります)か？",
            "ディスコード対応のマイクですか？",
            "テレビの電話(台|線)は付属しますか？",
        ),
        "en": (
            "love the white line on the side",
            "do you also sell LINE character plushies?",
            "I saw the same dress on Instagram, so happy",
            "is the phone unlocked?",
            "which phone does the case fit?",
            "the tracking number is {digits4} {digits4} {digits4}",
            "does the mic work with Discord?",
            "I need it for online classes",
            "got the shipping email, thanks",
            "what's the signal like on the old router?",
            "the number on the box is {digits4}, right?",
            "are the call buttons on the earbuds working?",
        ),
    },
)

ASK_ENGRAVING = Family(
    "contact.ask_engraving",
    {
        "ja": (
            "刻印する(文字|名前)を教えてください",
            "(名入れ|プリント)の文字はどうしますか？",
            "ゲームの(ニックネーム|キャラ名)は何にしますか？",
            "お名前シールに入れる(英数字|文字)を{please}",
            "(専用ページ|専用出品)の名前はどうしましょうか",
        ),
        "en": (
            "what should I engrave?",
            "which text goes on the print?",
            "what name for the reserved listing?",
            "what's the nickname for the sticker?",
        ),
    },
)

REPORT = Family(
    "contact.report",
    {
        "ja": (
            "{app}に誘導(する|してくる)人が多いので(気をつけて|注意して)ください",
            "前に{app}を聞かれて(断った|通報した)ことがあります",
            "プロフィールに「{app}交換不可」と書いて(います|あります)",
            "{app}を教えたら(変な|怪しい)連絡が来たという話を聞きました",
            "電話番号を聞かれても(教えない|答えない)方がいいですよ",
            "「{app}で」と言われましたが(無視|お断り)しました",
            "連絡先を(聞く|交換する)のは違反だと(ヘルプ|ガイド)にありました",
            "メールで連絡してと言ってきた(人|方)がいて事務局に(伝え|報告し)ました",
            "{app}の話を(される|持ちかけられる)のは正直(困ります|苦手です)",
            "友達が{app}で騙されたので(ここ|アプリ)だけにしています",
        ),
        "en": (
            "someone asked me for {app} and I reported them",
            "beware of people who want {app}",
            "my profile says no {app}",
            "never give your number to strangers here",
            "a buyer wanted my email last week, I refused",
            "support warned me about chats on {app}",
            "they asked for {app}, I ignored it",
            "people who ask for {app} are usually scammers",
            "the guide says sharing contacts isn't allowed",
            "my friend was tricked on {app}",
        ),
    },
)
