"""What is said in every transaction: greetings, questions, prices, shipping, receipt, thanks."""

from __future__ import annotations

from marketplace.grammar import Family


def _family(name: str, ja: tuple[str, ...], en: tuple[str, ...]) -> Family:
    return Family(f"ordinary.{name}", {"ja": ja, "en": en})


BOUGHT = _family(
    "bought",
    (
        "{greet}購入(しました|させていただきました)。{please}",
        "{item}を購入しました！(届くのが|)楽しみです",
        "{greet}先ほど購入した者です。{please}",
        "即購入失礼します。{please}",
    ),
    (
        "{greet}just bought the {item}",
        "{greet}I purchased it, looking forward to it",
        "bought! thanks for the quick reply",
        "{greet}I'm the buyer, {please}",
    ),
)
THANK_BUYER = _family(
    "thank_buyer",
    (
        "ご購入ありがとうございます。(最後まで|短い間ですが)よろしくお願いします",
        "(ありがとうございます|ご購入感謝します)！お支払い確認後に発送します",
        "ありがとうございます。{day}に(発送|お送り)します",
    ),
    (
        "thanks for buying! I'll ship it {day}",
        "thank you, it goes out once the payment shows",
        "thanks, I'll pack it well",
    ),
)
ASK_ITEM = _family(
    "ask_item",
    (
        "{item}に{flaw}は(あります|ありません)か？",
        "サイズは(どのくらい|何センチ)ですか？",
        "(色味|素材)をもう少し教えてください",
        "(いつ頃|どこで)購入されたものですか？",
        "付属品は(全部|すべて)揃っていますか？",
        "まだ(ありますか|購入できますか)？",
        "使用(回数|期間)はどれくらいですか？",
        "{item}の写真をもう一枚(載せて|追加して)もらえますか？",
        "動作は(確認済み|問題ない)ですか？",
        "たばこやペットの匂いは(あります|しません)か？",
        "箱は(ついて|付いて)きますか？",
    ),
    (
        "is there any {flaw} on the {item}?",
        "what size is it?",
        "where did you buy it?",
        "is it still available?",
        "does it come with the box?",
        "how long have you used it?",
        "could you add another photo?",
        "is everything included?",
        "does it work properly?",
        "what colour is it in daylight?",
    ),
)
ANSWER_ITEM = _family(
    "answer_item",
    (
        "{flaw}は(ありません|ほとんどないです)",
        "(写真の通り|説明文の通り)です",
        "(二回|数回)使っただけです",
        "はい、付属品も(揃って|全部あって)います",
        "昨年(百貨店|通販)で買いました",
        "(縦|横){digits2}センチくらいです",
        "動作確認済みです、(ご安心ください|問題ありません)",
        "少し{flaw}がありますが(目立ちません|写真をご覧ください)",
        "まだありますよ",
        "ペットはいません、(禁煙|禁煙環境)です",
    ),
    (
        "no {flaw} at all",
        "as in the photos",
        "used it twice",
        "yes, everything is included",
        "bought it last year in a shop",
        "about {digits2} cm",
        "it works fine",
        "a small {flaw}, hard to see",
        "still available",
        "smoke-free home",
    ),
)
ASK_DISCOUNT = _family(
    "ask_discount",
    (
        "(少し|もう少し)お値下げ{can_you}",
        "{price}円に(なりませんか|していただけませんか)？",
        "即決するので{discount}{can_you}",
        "セットで買うので(お安く|割引){can_you}",
        "送料込みで{price}円は(無理でしょうか|難しいですか)？",
        "{price_off}円(引いて|下げて)もらえたら(すぐ|今)買います",
    ),
    (
        "could you do {price}?",
        "any chance of {discount}?",
        "I'd buy both for {discount}",
        "would you take {price}?",
        "{price} and I buy it right now?",
    ),
)
OFFER_DISCOUNT = _family(
    "offer_discount",
    (
        "{discount}(できますよ|しますね)。(いかがですか|どうでしょう)？",
        "では{price}円で(どうですか|いかがですか)？",
        "{price_off}円引きまでなら(可能です|できます)",
        "まとめ買いなら{discount}にします",
        "値段を{price}円に(変更|修正)しましょうか？",
    ),
    (
        "I can do {discount}, ok?",
        "how about {price}?",
        "{price} is my best price",
        "I could go {price_off} lower",
        "if you take two, {discount}",
    ),
)
OFFER_SHIPPING = _family(
    "offer_shipping",
    (
        "{carrier}での発送で(よろしいですか|いいですか)？",
        "発送は{day}になりますが{can_you}",
        "(簡易包装|箱なし)で送っても(いいですか|よろしいですか)？",
        "{carrier}に変更(しても|して)いいですか？",
        "匿名配送ではなくなりますが{can_you}",
        "{day}の到着で(調整しましょうか|大丈夫ですか)？",
    ),
    (
        "is {carrier} ok for you?",
        "I'd ship it {day}, is that ok?",
        "can I send it without the box?",
        "shall I use {carrier} instead?",
        "delivery {day}, fine?",
    ),
)
#: Yes to whatever was offered just before: only the context tells to what.
ACCEPT = _family(
    "accept",
    (
        "わかりました、それでお願いします",
        "はい、(大丈夫|問題ない)です",
        "ではその方法で{please}",
        "了解です！(助かります|ありがとうございます)",
        "いいですよ、そうしましょう",
        "(承知|了解)しました。{please}",
        "それで(進めて|やって)ください",
        "OKです、{please}",
        "ぜひ{please}",
        "(嬉しい|ありがたい)です。そうさせてください",
    ),
    (
        "ok, let's do that",
        "sounds good, {please}",
        "sure, that works",
        "yes, fine with me",
        "deal",
        "great, let's go with that",
        "perfect, thanks",
        "alright, do it that way",
        "happy with that",
        "ok then",
    ),
)
#: Steps back after a refusal.
YIELD = _family(
    "yield",
    (
        "わかりました、(では|)普通に{please}",
        "失礼しました。アプリで(進めます|お願いします)",
        "そうですよね、(すみません|失礼しました)",
        "承知しました。通常通り{please}",
        "わかりました、{please}",
        "了解です。気にしないでください",
    ),
    (
        "ok, let's do it the normal way",
        "fair enough, sorry",
        "understood, here then",
        "no problem, forget it",
        "ok, {please}",
    ),
)
HESITATE = _family(
    "hesitate",
    (
        "それは(大丈夫|安全)なんですか？",
        "やったことがないのですが…",
        "(少し|ちょっと)不安です",
        "難しくないですか？",
        "本当に(届き|うまくいき)ますか？",
        "初めてなのでよくわかりません",
    ),
    (
        "is that safe?",
        "I've never done that",
        "a bit worried about it",
        "isn't that complicated?",
        "does that really work?",
        "I'm new here, not sure how",
    ),
)
PAID = _family(
    "paid",
    (
        "(支払い|入金)(しました|完了しました)。確認{please}",
        "振り込みました。ご確認ください",
        "お支払い済みです、{please}",
        "(今|先ほど)(入金|送金)しました",
        "支払いましたので発送を{please}",
        "(コンビニ|ATM)で払ってきました",
    ),
    (
        "paid, please check",
        "I've sent the money",
        "payment done, thanks",
        "transferred it just now",
        "paid {day}? no, I paid now, please check",
    ),
)
CONFIRM_PAID = _family(
    "confirm_paid",
    (
        "(入金|お支払い)確認しました。{day}発送します",
        "確認できました、ありがとうございます",
        "お支払いありがとうございます。(準備|梱包)しますね",
    ),
    ("got it, shipping {day}", "payment received, thanks", "I see it, packing now"),
)
SHIPPED = _family(
    "shipped",
    (
        "(本日|先ほど){carrier}で発送しました",
        "発送完了です。到着まで(少々|しばらく)お待ちください",
        "{carrier}に(出して|預けて)きました。追跡は{digits4}{digits4}{digits4}です",
        "無事に届くといいです。(先ほど|今朝)送りました",
    ),
    (
        "shipped with {carrier} today",
        "it's on its way, tracking {digits4} {digits4} {digits4}",
        "dropped it off this morning",
        "sent! let me know when it arrives",
    ),
)
ASK_WHEN = _family(
    "ask_when",
    (
        "いつ頃(届き|発送になり)ますか？",
        "まだ届かないのですが(大丈夫でしょうか|確認できますか)",
        "{day}までに届くと嬉しいです",
        "追跡が(動いて|更新されて)いないようです",
    ),
    (
        "when will it arrive?",
        "it's not here yet, could you check?",
        "would be great to have it {day}",
        "tracking hasn't moved",
    ),
)
SOON = _family(
    "soon",
    (
        "{day}には(届く|着く)と思います",
        "(配送状況|追跡)を確認しますね",
        "(雪|混雑)で遅れているようです。(申し訳ありません|すみません)",
        "もう少しお待ちください",
    ),
    (
        "it should be there {day}",
        "I'll check the tracking",
        "post is slow, sorry",
        "a little patience please",
    ),
)
RECEIVED = _family(
    "received",
    (
        "(届きました|受け取りました)！(ありがとうございます|とても素敵です)",
        "無事に届きました。(丁寧な|きれいな)梱包ありがとうございます",
        "{item}、思ったより(きれい|大きい)です。評価しますね",
        "受け取り評価しました。{please}",
    ),
    (
        "it arrived, thank you!",
        "got it, lovely packaging",
        "the {item} is even nicer than the photos",
        "received, leaving a rating now",
    ),
)
COMPLAIN = _family(
    "complain",
    (
        "{flaw}があるのですが(説明にありましたか|どうしましょう)",
        "(写真|説明)と違う気がします",
        "{item}に{flaw}がありました。(返品|返金){can_you}",
        "開けたら{flaw}があって残念です",
    ),
    (
        "there's a {flaw} that wasn't in the description",
        "it differs from the photos",
        "the {item} has a {flaw}, can I return it?",
        "opened it and found a {flaw}",
    ),
)
APOLOGISE = _family(
    "apologise",
    (
        "申し訳ありません、(確認不足|見落とし)でした",
        "すみません、(返品|返金)の手続きをします",
        "(写真|説明)に書いてあったと思うのですが…",
        "中古品なのでご理解ください",
    ),
    (
        "sorry, I missed that",
        "sorry, let's arrange a return",
        "it was in the description, I think",
        "it is second hand, please understand",
    ),
)
THANKS = _family(
    "thanks",
    (
        "ありがとうございました！",
        "(また|またの機会に){please}",
        "良いお取引でした、ありがとうございます",
        "(こちらこそ|いえいえ)、ありがとうございました",
        "(評価|お取引)ありがとうございました",
    ),
    (
        "thanks a lot!",
        "pleasure, see you again",
        "thank you for the smooth deal",
        "thanks, all the best",
        "cheers",
    ),
)
ASK_CANCEL = _family(
    "ask_cancel",
    (
        "間違えて購入したのでキャンセル{can_you}",
        "(都合|予定)が変わったのでキャンセルしたいです",
        "在庫が見つからないのでキャンセルさせてください",
    ),
    (
        "bought it by mistake, can we cancel?",
        "I'd like to cancel, plans changed",
        "sorry, I can't find the item, let's cancel",
    ),
)
