"""Hard words: insults and threats against the other person, and the same words said of goods, of oneself, or quoted."""

from __future__ import annotations

from marketplace.grammar import Family

INSULT = Family(
    "harassment.insult",
    {
        "ja": (
            "(あなた|あんた|お前)みたいな{insult}とは(取引したくない|話したくない)",
            "(本当に|マジで|){insult}ですね{laugh}",
            "{insult_adj}んじゃないの？",
            "{insult}、{get_lost}",
            "(こんな|この){insult}初めて見た",
            "(常識|日本語)もわからない{insult}ですか",
            "{insult_adj}(人|奴)だな、{get_lost}",
            "(だから|どうせ)お前は{insult}なんだよ",
            "親の顔が見たいわ、{insult_adj}",
            "その値段で(買う|売る)とか{insult_adj}でしょ",
            "いちいち(聞いて|質問して)くるな、{insult}",
            "{get_lost}、{insult_adj}(人|奴)の相手は(疲れる|うんざり)",
            "(字|説明)も読めないの？{insult}{laugh}",
            "(評価|コメント)見たら{insult}だって(わかった|すぐわかる)",
            "お前の(頭|顔)が(壊れてる|ゴミ)なんだろ",
            "値切るなんて{insult}のすることだ",
            "生きてて恥ずかしくない？{insult_adj}",
            "二度と(関わるな|連絡するな)、この{insult}",
            "(返事|返信)も(できない|しない)とか{insult}以下",
            "{insult}に(売る|渡す)ものはない",
            "(偉そうに|えらそうに)するな{insult}が",
            "(うざい|うるさい)んだよ、{get_lost}",
        ),
        "en": (
            "you are (such a|a complete) {insult}",
            "(what a|another) {insult}{laugh}",
            "are you {insult_adj}?",
            "{get_lost}, you {insult}",
            "I've never met such a {insult_adj} person",
            "can't you read, {insult}?",
            "people like you are {insult_adj}",
            "nobody asked you, {get_lost}",
            "only a {insult} would offer that",
            "you must be {insult_adj} to sell this at that price",
            "your mother must be so proud of such a {insult}",
            "stop writing to me, you {insult_adj} {insult}",
            "how {insult_adj} can one person be",
            "learn some manners, {insult}",
            "{insult}. {get_lost}.",
            "I don't talk to a {insult} like you",
            "you're {insult_adj} and your shop is too",
            "typical {insult}, {get_lost}",
        ),
    },
)

THREAT = Family(
    "harassment.threat",
    {
        "ja": (
            "{threat}",
            "(返金|返品)しないなら{threat}",
            "低評価つけたら{threat}",
            "(本名|住所)も知ってるし、{threat}",
            "{threat}。{insult}め",
            "通報したら{threat}",
            "(今すぐ|早く)返事しないと{threat}",
            "逃げられると思うな。{threat}",
            "家族が(どうなっても|どうなるか)知らないよ",
            "配達先の住所は控えたから。{threat}",
            "(会社|学校)に(電話|連絡)して全部ばらす",
            "次に(見かけたら|会ったら)(覚悟しろ|ただじゃおかない)",
        ),
        "en": (
            "{threat}",
            "refund me or {threat}",
            "leave a bad rating and {threat}",
            "I have your address, {threat}",
            "{threat}, {insult}",
            "report me and {threat}",
            "answer now or {threat}",
            "you can't hide. {threat}",
            "I'll tell your boss and everyone who knows you",
            "next time I see you, you're done",
        ),
    },
)

#: Hard words about goods, post or oneself.
ABOUT_THINGS = Family(
    "harassment.about_things",
    {
        "ja": (
            "届いた箱に(ゴミ|紙くず)が入っていました",
            "(自分がバカ|私がアホ)でした、サイズを間違えました",
            "死ぬほど(嬉しい|欲しかった)です！",
            "送料で{price}円は最低でもかかりますよね",
            "(ホコリ|消しゴムのクズ)が(ついて|残って)いたので拭きました",
            "(状態|梱包)が(ひどい|最低)で(がっかり|残念)です",
            "嘘みたいにきれいで(驚きました|感動しました)",
            "このゲーム、敵の「{insult}」が強すぎて{laugh}",
            "説明と違うので(正直|かなり)腹が立っています。返品させてください",
            "{flaw}がひどくて使い物になりません。(対応を|返金を){please}",
            "配達員の対応が(最低|ひどい)で(困り|参り)ました",
            "頭おかしくなりそうなくらい(かわいい|好き)です",
            "バカ売れの商品なので(早めに|お早めに)どうぞ",
            "写真が(気持ち悪い|怖い)くらいリアルですね{laugh}",
            "私の確認不足で、(本当に|)恥ずかしいです",
        ),
        "en": (
            "there was garbage in the box",
            "I'm such an idiot, I ordered the wrong size",
            "the packaging was terrible, I'm disappointed",
            "stupidly good price, thank you",
            "my dog is a clown and chewed the old one",
            "the courier was useless today",
            "I'm angry, it has a {flaw} that you didn't mention, I want a refund",
            "sick design, love it",
            "this is ridiculous quality for {price}, in a good way",
            "dumb question, does it come with a box?",
            "the villain in that game is pathetic{laugh}",
            "killer shoes, can't wait",
        ),
    },
)

#: Someone else's words, told or quoted.
QUOTE = Family(
    "harassment.quote",
    {
        "ja": (
            "「{insult}」と(言われて|書かれて)(傷つきました|悲しいです)",
            "{insult}なんて(言わないで|呼ばないで)ください",
            "前の出品者に「{get_lost}」と言われたことがあって不安です",
            "{insult}と(言う|書く)のは(違反|やめて)です",
            "さっきの「{insult}」は(言いすぎでした|失礼しました)。すみません",
            "「{threat}」というのは脅迫ですよ。(通報します|事務局に伝えます)",
            "評価に「{insult}」と(書かれて|コメントされて)いて驚きました",
            "人を{insult}呼ばわりするのは(どうかと思います|やめましょう)",
            "「{threat}」とまで言われる覚えは(ありません|ないです)",
            "{insult}という言葉は(取り消して|削除して)ください",
            "「{insult}」と言い返して(しまい|しまって)すみません",
            "「{get_lost}」は(ひどい|きつい)言葉ですね。傷つきます",
            "他の人に「{threat}」と書かれて(怖かった|通報した)ことがあります",
            "{insult}と呼ばれる(筋合い|理由)は(ありません|ないです)",
            "「{insult}」って(誰が|どなたが)言ったんですか？",
        ),
        "en": (
            "calling me an {insult} is not ok",
            "please don't call people {insult}",
            "another seller told me to {get_lost}, so I'm nervous",
            'you wrote "{insult}", that hurts',
            "sorry about the '{insult}' earlier, I was upset",
            '"{threat}" is a threat, I am reporting it',
            "someone left '{insult}' in my reviews",
            "I've been called a {insult} here before",
            "take back the word {insult} please",
            "they said '{threat}', can you believe it",
        ),
    },
)

#: Takes its colour from what came before: praise or insult.
POINTED = Family(
    "harassment.pointed",
    {
        "ja": (
            "もちろん(あなた|そちら)のことですよ",
            "(ええ|はい)、そう言いました",
            "本当のことを言っただけです",
            "何度でも言いますよ",
            "(他に|ほかに)誰がいるんですか",
            "みんなそう思っていますよ",
            "そのままの意味です",
            "心からそう思っています",
            "(鏡|評価欄)を見てください",
            "間違ったことは言っていません",
        ),
        "en": (
            "yes, I mean you",
            "I said what I said",
            "it's simply the truth",
            "I'd say it again",
            "who else could it be",
            "everyone here thinks so",
            "exactly what it sounds like",
            "and I mean every word",
            "just look at your reviews",
            "nothing wrong with saying it",
        ),
    },
)

AM_I = Family(
    "harassment.am_i",
    {
        "ja": (
            "それは私のことですか？",
            "私に言っていますか？",
            "誰のことでしょうか？",
            "え、私ですか？",
            "どういう意味ですか？",
        ),
        "en": (
            "do you mean me?",
            "are you talking about me?",
            "who do you mean?",
            "me?",
            "what do you mean by that?",
        ),
    },
)

PRAISE = Family(
    "harassment.praise",
    {
        "ja": (
            "こんなに(親切|丁寧)な方は初めてです",
            "(本当に|とても)素敵な(出品者さん|お店)ですね",
            "(梱包|対応)が(完璧|最高)の方ですね",
            "評価通りの(優しい|誠実な)方ですね",
            "(センス|趣味)がいい方ですね",
        ),
        "en": (
            "what a kind seller",
            "such a lovely person to deal with",
            "some people here are wonderful",
            "best seller I ever had",
            "great taste",
        ),
    },
)

UPSET = Family(
    "harassment.upset",
    {
        "ja": (
            "ひどい言い方ですね",
            "そういう言い方は(やめて|控えて)ください",
            "(通報|ブロック)します",
            "怖いので取引を(やめたい|キャンセルしたい)です",
            "冷静にお話ししませんか",
        ),
        "en": (
            "that's a horrible thing to say",
            "please be polite",
            "I'm reporting this",
            "let's calm down",
            "I'd like to cancel then",
        ),
    },
)
