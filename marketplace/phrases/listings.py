"""Listing texts: goods, how they are described, and the wording of counterfeit and prohibited offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from marketplace.grammar import Family, Language

Shape = Literal[
    "bag",
    "shoe",
    "watch",
    "shirt",
    "phone",
    "bottle",
    "box",
    "book",
    "toy",
    "card",
    "blade",
    "pills",
    "notes",
    "ticket",
]


@dataclass(frozen=True, slots=True)
class Goods:
    """A kind of goods: its names, the outline its picture shows, an ordinary price in yen, and brands it comes with."""

    category: str
    shape: Shape
    names: dict[Language, tuple[str, ...]]
    yen: tuple[int, int]
    branded: bool = False


ORDINARY: Final[tuple[Goods, ...]] = (
    Goods("bags", "bag", {"ja": ("トートバッグ", "ショルダーバッグ", "ハンドバッグ", "リュック", "長財布", "ボストンバッグ"), "en": ("tote bag", "shoulder bag", "handbag", "backpack", "wallet")}, (18_000, 160_000), branded=True),
    Goods("shoes", "shoe", {"ja": ("スニーカー", "ランニングシューズ", "ローファー", "ブーツ", "パンプス"), "en": ("sneakers", "running shoes", "loafers", "boots")}, (9_000, 48_000), branded=True),
    Goods("watches", "watch", {"ja": ("腕時計", "クロノグラフ", "自動巻き腕時計", "ダイバーズウォッチ"), "en": ("wrist watch", "chronograph", "diver watch")}, (40_000, 480_000), branded=True),
    Goods("fashion", "shirt", {"ja": ("Tシャツ", "パーカー", "ワンピース", "ダウンジャケット", "デニム"), "en": ("t-shirt", "hoodie", "dress", "down jacket", "jeans")}, (8_000, 60_000), branded=True),
    Goods("electronics", "phone", {"ja": ("スマートフォン", "ワイヤレスイヤホン", "タブレット", "携帯ゲーム機"), "en": ("smartphone", "wireless earbuds", "tablet", "handheld console")}, (9_000, 90_000), branded=True),
    Goods("beauty", "bottle", {"ja": ("化粧水", "香水", "シャンプー", "美容液", "ハンドクリーム"), "en": ("lotion", "perfume", "shampoo", "hand cream")}, (800, 7_000)),
    Goods("home", "box", {"ja": ("収納ボックス", "マグカップ", "クッション", "テーブルランプ", "薬箱", "ナイフスタンド"), "en": ("storage box", "mug", "cushion", "table lamp", "medicine cabinet", "knife block")}, (600, 6_000)),
    Goods("books", "book", {"ja": ("参考書", "漫画全巻", "小説", "薬学の教科書", "チケットの歴史の本", "刀剣の図鑑"), "en": ("textbook", "manga set", "novel", "book on pharmacology", "book of swords")}, (300, 4_500)),
    Goods("toys", "toy", {"ja": ("フィギュア", "ぬいぐるみ", "積み木", "プラモデル", "おもちゃの剣"), "en": ("figure", "plush toy", "building blocks", "model kit", "toy sword")}, (700, 9_000)),
    Goods("kitchen", "blade", {"ja": ("包丁", "果物ナイフ", "キッチンばさみ", "パン切りナイフ"), "en": ("chef's knife", "fruit knife", "kitchen scissors", "bread knife")}, (900, 9_000)),
    Goods("supplements", "pills", {"ja": ("ビタミンCサプリ", "プロテインタブレット", "のど飴", "乳酸菌サプリ"), "en": ("vitamin C tablets", "protein tablets", "throat drops")}, (600, 4_500)),
    Goods("collectibles", "card", {"ja": ("トレーディングカード", "記念メダル", "古いテレホンカード(使用済み|)", "ポストカード"), "en": ("trading card", "commemorative medal", "used phone card", "postcards")}, (300, 20_000)),
    Goods("stationery", "ticket", {"ja": ("チケットホルダー", "お札サイズの封筒", "ギフトボックス", "手帳"), "en": ("ticket holder", "gift box", "notebook", "envelopes")}, (200, 2_500)),
)  # fmt: skip

PROHIBITED: Final[tuple[Goods, ...]] = (
    Goods("medicine", "pills", {"ja": ("処方薬の残り", "病院でもらった睡眠導入剤", "処方された湿布と痛み止め", "海外のED治療薬", "未開封の処方薬", "ダイエット用の処方カプセル"), "en": ("leftover prescription pills", "sleeping tablets from the clinic", "prescription painkillers", "slimming pills from the doctor")}, (2_000, 15_000)),
    Goods("cash", "notes", {"ja": ("現金", "旧紙幣10万円分", "お札セット", "1万円札", "新札の現金"), "en": ("cash", "banknotes set", "real 10,000 yen note", "money in an envelope")}, (10_800, 60_000)),
    Goods("gift codes", "card", {"ja": ("Amazonギフトコード", "電子マネーの番号", "プリペイドカードのコード", "iTunesコード"), "en": ("gift card code", "prepaid code", "store credit number")}, (2_500, 53_000)),
    Goods("tickets", "ticket", {"ja": ("ライブチケット(同行者|名義貸し)", "電子チケット分配", "本人確認済みのチケット", "新幹線回数券"), "en": ("concert ticket under my name", "festival pass with ID", "train coupon tickets")}, (12_000, 90_000)),
    Goods("weapons", "blade", {"ja": ("飛び出しナイフ", "スタンガン", "催涙スプレー", "真剣の日本刀(登録証なし)", "バタフライナイフ"), "en": ("switchblade", "stun gun", "pepper spray", "unregistered sword", "butterfly knife")}, (4_000, 70_000)),
    Goods("accounts", "phone", {"ja": ("ゲームのアカウント", "認証済みSNSアカウント", "開通済みSIM", "銀行口座付きスマホ"), "en": ("game account", "verified social account", "activated SIM card", "phone with bank app logged in")}, (1_500, 40_000)),
    Goods("tobacco", "box", {"ja": ("加熱式たばこカートリッジ", "ニコチン入りリキッド", "未開封の煙草カートン", "自家製の果実酒"), "en": ("cigarette carton", "nicotine liquid", "home-made liquor")}, (2_000, 12_000)),
)  # fmt: skip

#: Invented names, so that no real maker is slandered by a picture or a price.
BRANDS: Final = (
    "Valmont",
    "Kestrel",
    "Aurelio",
    "Northgate",
    "Sorano",
    "Bellini",
    "Hakusan",
    "Orbis",
    "Lumière",
    "Tanzen",
)

DESCRIPTION = Family(
    "listing.description",
    {
        "ja": (
            "(数回|一度だけ)使用しました。{flaw}は(ほとんど|)ありません。", "引っ越しのため出品します。{carrier}で発送します。", "(プレゼント|頂き物)ですが使わないので(お譲り|出品)します。",
            "サイズは写真をご確認ください。(中古品|自宅保管)にご理解のある方に。", "即購入OKです。(値下げ|お値下げ)はご遠慮ください。", "(昨年|三年前)に(百貨店|公式サイト)で購入しました。箱あり。",
            "状態は良いですが、(細かい|小さな){flaw}があります。", "新品未使用です。(タグ付き|未開封)。", "{day}までに発送できます。よろしくお願いします。",
        ),
        "en": (
            "Used (twice|a few times), no {flaw}.", "Moving house, must go. Ships by {carrier}.", "A gift I never used.", "Size as in the photos, from a smoke-free home.", "Bought last year at the department store, with box.",
            "Good condition, a small {flaw}.", "New with tags.", "Can ship {day}.", "No returns, please ask first.",
        ),
    },
)  # fmt: skip
GENUINE = Family(
    "listing.genuine",
    {
        "ja": (
            "正規品です。(購入時の|)レシートあり。", "(直営店|正規店)で購入、保証書付き。", "シリアル番号の写真を載せています。", "鑑定済みの{brand}です。", "{brand}の公式オンラインで買いました。",
            "確実に正規品のみ出品しています。", "コピー品は扱いません。", "偽物ではありません、{brand}の店舗で購入。", "付属品（箱・保存袋・ギャランティ）完備。", "質屋で本物と(確認|鑑定)してもらいました。",
        ),
        "en": (
            "Genuine, with receipt.", "Bought at the {brand} store, warranty card included.", "Serial number in the photos.", "Authenticated {brand}.", "From the official {brand} site.",
            "I never sell replicas.", "Not a copy, bought at the counter.", "Comes with box, dust bag and card.", "100% real, checked by a dealer.", "Authenticity card included.",
        ),
    },
)  # fmt: skip
COUNTERFEIT = Family(
    "listing.counterfeit",
    {
        "ja": (
            "{brand}(風|タイプ|系)の(デザイン|ロゴ)です。", "海外製のため(気になる方|神経質な方)はご遠慮ください。", "ノーブランド品ですがロゴが入っています。", "(高品質|最高級)のN級品、見分けはつきません。", "正規店では確認できません。箱や保証書はありません。",
            "スーパーコピーではなく(工場流れ|工場直送)です。", "本物と(同じ素材|同じ工場)で作られています。", "(ブランドについて|正規品か)の質問はご遠慮ください。", "ノークレームで、鑑定に出す方は購入不可です。", "{brand}ロゴ入り、海外(インポート|買い付け)品です。",
            "AAAランクの{brand}、外箱なしで(お安く|特価)。", "1対1の(仕上がり|クオリティ)です。", "(ミラー|レプリカ)品質、普段使いに。", "大人気の{brand}そっくり、(在庫|カラー)多数。", "刻印ありますが(ノーブランド|無印)扱いでお願いします。",
            "タグは(切って|外して)あります。{brand}好きな方に。", "(韓国|海外)で購入した{brand}(オマージュ|パロディ)品。", "百貨店には持ち込まないでください。", "(色違い|サイズ違い)も10点以上あります、{brand}。", "真贋は(不明|保証できません)。",
        ),
        "en": (
            "{brand} style, top quality.", "Mirror quality, nobody can tell.", "AAA grade {brand}, no box.", "No brand but with the {brand} logo.", "1:1 with the original.",
            "From the same factory as {brand}.", "Please don't ask whether it's authentic.", "Not for resale in shops, no authenticity check.", "Inspired by {brand}, all colours in stock.", "Replica but very well made.",
            "Imported, tag removed.", "Looks exactly like {brand}.", "Sold as unbranded, the logo is there.", "Cannot guarantee authenticity.", "Factory overrun of {brand}, many pieces.",
        ),
    },
)  # fmt: skip
#: Says what may not be sold without naming it, or offers it outright.
PROHIBITED_OFFER = Family(
    "listing.prohibited",
    {
        "ja": (
            "(病院|クリニック)で処方されましたが(余りました|使いません)。", "購入後すぐに(番号|コード)をメッセージで送ります。", "体調を整える例のものです。(わかる方|詳しい方)のみ。", "身分証なしで使えます。", "額面は{price}円です。(急ぎで|すぐ)現金化したい方。",
            "名義変更は(できません|不要)、本人確認は(済んでいます|こちらで対応)。", "(郵便|配送)では品名を『雑貨』と書きます。", "護身用です。18歳未満の方は(ご遠慮|ご注意)ください。", "パスワードとメールごと(お渡し|譲渡)します。", "法律に触れないよう(観賞用|コレクション)としてください。",
            "写真は(イメージ|ダミー)です。中身はコメントで。", "(錠剤|カプセル)が{digits2}錠残っています。", "入場時は私の名前を(名乗って|言って)ください。", "削除されるので(早い者勝ち|お早めに)。", "審査なし、即日使えます。",
            "お札は(連番|ピン札)です。", "医師の(診察|処方箋)なしで届きます。", "成分は(聞かないで|ご自身で調べて)ください。", "刃渡り{digits2}センチ、(よく切れます|未使用)。", "残高{price}円分あります。",
        ),
        "en": (
            "Prescribed to me, not needed any more.", "The code is sent in the chat right after payment.", "You know what it is, ask in comments.", "Works without ID.", "Face value {price}, quick sale.",
            "Name on it can't be changed, ID check is sorted.", "Will be labelled as household goods.", "For self defence, adults only.", "Comes with password and email.", "For display only, if anyone asks.",
            "Photo is a placeholder, real item by message.", "{digits2} tablets left in the blister.", "Say my name at the entrance.", "Gets deleted quickly, be fast.", "No doctor needed.",
        ),
    },
)  # fmt: skip
PROHIBITED_INNOCENT = Family(
    "listing.innocent",
    {
        "ja": (
            "処方箋入れとしても使えます。", "(現金|お札)は入っていません、ケースのみです。", "ギフトにおすすめ、(箱|リボン)付き。", "お薬手帳のカバーです。", "ナイフの持ち出しにはカバーをお使いください。",
            "食品衛生法に基づく表示あり。", "18歳以上対象のパズルです。", "番号札は飾りです。", "ゲームのアカウントは含みません、本体のみ。", "チケットは使用済みの(記念品|半券)です。",
        ),
        "en": (
            "Also fits a prescription note.", "No cash inside, the case only.", "A nice gift, ribbon included.", "Cover for a medicine notebook.", "Use the sheath when you carry the knife.",
            "Food label as required.", "Adults' puzzle, 18+.", "The number plate is decorative.", "Console only, no account included.", "Used ticket stub as a souvenir.",
        ),
    },
)  # fmt: skip
