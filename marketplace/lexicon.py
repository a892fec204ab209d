"""Slot values of conversations, Japanese and English: channels, banks, amounts, handles, insults of the milder kind."""

from __future__ import annotations

from random import Random
from typing import Final

from marketplace.grammar import Language, Slots

#: What a disguise is put on, longest first so that the whole word goes.
DISGUISED: Final[dict[Language, tuple[str, ...]]] = {
    "ja": (
        "銀行振込", "直接取引", "インスタ", "テレグラム", "カカオトーク", "ペイペイ", "PayPay", "LINE", "ライン", "Twitter",
        "口座", "振込", "振り込", "送金", "電話番号", "メアド", "メール", "直接", "現金", "ディスコード", "バカ", "クズ", "アホ", "ゴミ",
    ),
    "en": (
        "bank transfer", "Cash App", "Venmo", "PayPal", "Zelle", "WhatsApp", "Telegram", "Instagram", "Discord", "Signal",
        "wire", "cash", "text me", "phone", "email", "idiot", "loser", "clown", "moron", "pathetic", "stupid",
    ),
}  # fmt: skip

_JA: Final[dict[str, tuple[str, ...]]] = {
    "greet": ("", "", "こんにちは。", "はじめまして。", "こんばんは！", "お世話になります。", "コメント失礼します。", "夜分にすみません。"),
    "please": ("お願いします", "お願いいたします", "お願いできますか", "よろしくお願いします", "お願いします！", "お願いしたいです"),
    "can_you": ("できますか？", "可能でしょうか？", "できませんか？", "大丈夫ですか？", "いかがですか？", "どうでしょう？"),
    "bank": ("三菱UFJ銀行", "みずほ銀行", "ゆうちょ銀行", "楽天銀行", "三井住友銀行", "りそな銀行", "住信SBI", "地元の信用金庫"),
    "branch": ("渋谷支店", "本店", "梅田支店", "店番{digits3}", "札幌支店", "第二営業部"),
    "account": ("普通 {digits7}", "普通預金{digits7}", "口座番号{digits7}", "普通口座 {digits7}"),
    "transfer": ("振込", "銀行振込", "お振込み", "口座振込", "振り込み", "送金", "直接振込", "直振込"),
    "pay_app": ("PayPay", "ペイペイ", "LINE Pay", "メルペイ送金", "d払いの送金", "Kyash", "Amazonギフト券", "プリペイドの番号", "ことら送金"),
    "off_channel": ("{transfer}", "{transfer}", "{pay_app}", "現金手渡し", "代引きの別払い", "現金書留", "個人間送金"),
    "fee_reason": (
        "手数料が(高い|もったいない|かかる)ので", "一割も引かれるので", "売上の入金が遅いので", "手数料を(払いたくない|浮かせたい)ので",
        "早く現金が(欲しい|必要な)ので", "アプリの残高を使いたくないので", "その方がお互い得なので", "システム利用料が惜しいので",
    ),
    "discount": ("{price_off}円(引き|お値引き)", "送料分(引き|サービス)", "一割引", "少しお安く", "端数分の値引き", "{price_off}円安く"),
    "price_off": ("200", "300", "500", "800", "1000", "1,500", "2000"),
    "price": ("1,200", "2,500", "3,000", "4,800", "5,500", "8,000", "12,000", "980"),
    "app": ("LINE", "ライン", "インスタ", "InstagramのDM", "カカオトーク", "テレグラム", "ディスコード", "Twitter", "XのDM", "シグナル", "Skype", "Facebook"),
    "handle": (
        "{name}{digits3}", "{name}_{digits2}", "{name}.{digits4}", "@{name}{digits2}", "{name}-{name}{digits2}", "{name}0{digits3}",
    ),
    "name": ("taro", "hana", "yuki", "mika", "ken", "sora", "nao", "rin", "kei", "mei", "shun", "aya", "momo", "riku", "emi", "jun"),
    "phone": ("090-{digits4}-{digits4}", "080{digits4}{digits4}", "070 {digits4} {digits4}", "０９０－{digits4}－{digits4}"),
    "email": ("{name}{digits3}@example.com", "{name}.{name}@example.jp", "{name}{digits2}＠example.com", "{name}{digits2}あっとexample.jp"),
    "address": ("東京都品川区東{digits1}-{digits1}-{digits1}", "大阪市北区南町{digits1}-{digits2}", "〒{digits3}-{digits4} 横浜市西区{digits1}-{digits1}"),
    "person": ("田中花子", "佐藤健", "鈴木一郎", "高橋美咲", "渡辺", "山本さくら", "中村"),
    "carrier": ("ゆうパック", "ヤマト", "宅急便", "佐川", "ゆうパケット", "定形外郵便", "レターパック", "匿名配送"),
    "day": ("明日", "明後日", "今日の夕方", "週末", "土曜日", "月曜", "3日以内", "今週中", "仕事帰り", "来週の頭"),
    "item": ("バッグ", "スニーカー", "ワンピース", "腕時計", "ゲーム機", "スマホ", "フィギュア", "マグカップ", "参考書", "イヤホン"),
    "flaw": ("傷", "汚れ", "シミ", "ほつれ", "へこみ", "色あせ", "匂い", "動作不良", "部品の欠け"),
    "insult": ("バカ", "アホ", "クズ", "ゴミ", "詐欺師", "嘘つき", "最低の人間", "ろくでなし", "役立たず", "頭おかしい人", "能なし", "ケチ野郎", "恥知らず"),
    "insult_adj": ("頭が悪い", "頭おかしい", "気持ち悪い", "性格が腐ってる", "非常識すぎる", "救いようがない", "みっともない", "育ちが悪い"),
    "get_lost": ("消えろ", "失せろ", "さっさと退会しろ", "二度と話しかけるな", "二度と買うな", "アカウント消せよ", "黙れ", "引っ込んでろ"),
    "threat": ("晒してやる", "住所わかってるからな", "家まで行くぞ", "ただじゃ済まさない", "痛い目にあわせる", "ネットに名前を書く", "後悔させてやる", "覚えておけよ", "夜道に気をつけろ"),
    "laugh": ("", "", "笑", "ｗ", "（笑）", "www"),
}  # fmt: skip

_EN: Final[dict[str, tuple[str, ...]]] = {
    "greet": ("", "", "Hi! ", "Hello, ", "Hey ", "Good evening, ", "Hi there, ", "Sorry to bother you, "),
    "please": ("please", "if you don't mind", "if possible", "thanks", "would be great", "thank you"),
    "bank": ("Chase", "Barclays", "HSBC", "Wells Fargo", "my credit union", "Revolut", "Monzo"),
    "account": ("account {digits4}{digits4}", "acct no. {digits4}{digits4}", "sort code {digits2}-{digits2}-{digits2} account {digits4}{digits4}"),
    "pay_app": ("PayPal friends and family", "Venmo", "Zelle", "Cash App", "PayPal", "Revolut", "a gift card code", "crypto", "Apple Cash"),
    "off_channel": ("{pay_app}", "{pay_app}", "bank transfer", "a direct bank transfer", "cash", "a wire", "cash in hand"),
    "fee_reason": (
        "the fees here are (crazy|too high)", "they take ten percent", "the payout takes a week", "I want to skip the fees",
        "I need the money sooner", "it saves us both money", "I hate paying commission", "the platform holds the money forever",
    ),
    "discount": ("{price_off} off", "ten percent off", "free shipping", "a better price", "a small discount", "{price_off} less"),
    "price_off": ("$5", "$10", "$15", "£8", "20 bucks", "$3"),
    "price": ("$25", "$40", "$60", "£35", "$120", "$80"),
    "app": ("WhatsApp", "Telegram", "Instagram", "Discord", "Signal", "Snapchat", "Facebook Messenger", "LINE", "Viber", "WeChat"),
    "handle": ("{name}{digits3}", "{name}_{digits2}", "{name}.{digits4}", "@{name}{digits2}", "{name}{name}{digits2}", "the_{name}{digits2}"),
    "name": ("alex", "sam", "jess", "max", "nina", "leo", "kate", "tom", "ella", "ben", "lucy", "oscar"),
    "phone": ("555-{digits3}-{digits4}", "555 {digits3} {digits4}", "07{digits3} {digits3} {digits3}", "five five five {digits3} {digits4}"),
    "email": ("{name}{digits3}@example.com", "{name}.{name}@example.org", "{name}{digits2} at example dot com"),
    "address": ("{digits2} Oak Street, Springfield", "{digits3} High Road, Flat {digits1}", "PO Box {digits4}, Portland"),
    "person": ("Jordan Smith", "Casey Brown", "Taylor Jones", "Morgan Lee", "R. Patel"),
    "carrier": ("UPS", "Royal Mail", "USPS", "FedEx", "tracked post", "first class post", "the drop-off point"),
    "day": ("tomorrow", "this weekend", "on Monday", "after work", "within two days", "later today", "on Friday", "next week"),
    "item": ("bag", "pair of sneakers", "dress", "watch", "console", "phone", "figure", "mug", "textbook", "pair of earbuds"),
    "flaw": ("scratch", "stain", "tear", "dent", "smell", "loose thread", "missing part", "crack"),
    "insult": ("idiot", "clown", "moron", "liar", "scammer", "loser", "joke of a seller", "waste of space", "fool", "cheapskate"),
    "insult_adj": ("stupid", "pathetic", "disgusting", "dumb", "brainless", "useless", "ridiculous as a person", "shameless"),
    "get_lost": ("get lost", "shut up", "go away and never come back", "delete your account", "crawl back to your hole", "never talk to me again", "get out of my sight"),
    "threat": ("I know where you live", "I will come to your house", "you will regret this", "I'll post your name everywhere", "watch your back", "I will make you pay for it", "you have no idea what's coming", "I'll find you"),
    "laugh": ("", "", " lol", " haha", " ;-D"),
}  # fmt: skip

SLOTS: Final[dict[Language, Slots]] = {"ja": _JA, "en": _EN}


#: Slots whose words come and go with the years: apps, ways to pay, insults. Banks, names and amounts stay.
MOVING_SLOTS: Final = frozenset(
    ("app", "pay_app", "insult", "insult_adj", "threat", "fee_reason", "get_lost", "laugh")
)


def bindings(language: Language, rng: Random) -> dict[str, str]:
    """What stays the same through one conversation: the item, the person, the handle."""
    slots = SLOTS[language]
    return {name: rng.choice(slots[name]) for name in ("item", "person", "name")}
