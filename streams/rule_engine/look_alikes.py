"""Characters that are drawn like Latin letters or like katakana; generated, see `unicode_confusables`.

From confusables.txt 13.0.0 (UTS #39), © Unicode, Inc., under the Unicode License
(unicode.org/license.txt), and from the names of the letters.
"""

from __future__ import annotations

#: By Latin letter, in the order of their codes.
LATIN = {
    "a": "ɑαаᎪᗅᴀᶏⱥꓮ",
    "b": "ƀƃƅɓʙβбвьѣҍᏏᏴᑲᑳᖯᗷᵬᶀꓐꞗꞵ",
    "c": "ƈȼɕсҫᏟᴄⲥꓚꞓꞔ𝼝",
    "d": "ðđƌȡɖɗԁᎠᏧᑯᗞᗪᴅᵭᶁᶑꓒꓓꟈ",
    "e": "ɇεеҽҿᎬᴇᶒⱸⴹꓰꬲꬴ",
    "f": "ƒϝքᖴᵮᶂẝꓝꜰꞙꬵ",
    "g": "ƍǥɠɡɢԍցᏀᏳᶃꓖꞡ",
    "h": "ħɦʜηнћңһӈӊհᎻᏂᏲᕼⱨⲏꓧꚕꞕ",
    "i": "ıɨɩɪιіᎥᵻᵼᶖⲓꓲꙇ𝼚",
    "j": "ɉʝϳјᎫᒍᴊꓙ",
    "k": "ƙκкқҟᏦᴋᶄⱪⲕꓗꝁꝃꝅꞣ",
    "l": "łƚǀȴɫɬɭʟӏᏞᒪᶅⱡⳑⵏꓡꝉꞎꬷꬸꬹ𝼑𝼓",
    "m": "ɱμϻмӎᎷᗰᴍᵯᶆⲙꓟꬺ",
    "n": "ƞȵɲɳɴνոռᵰᶇⲛꓠꞑꞥꬻ",
    "o": "øɵθοσоѳөօᎾᏫᴏᴑⱺⲟⴱⵁⵔꓳꝋꝍꬽꬾ𝼛",
    "p": "ƥρрᏢᑭᴘᵱᵽᶈⲣꓑꝑꝓꝕ",
    "q": "ɋʠԛգզⵕꝗꝙꞯ",
    "r": "ɍɼɽɾʀгғᎡᏒᖇᴦᵲᵳᶉⲅꓣꞧꭇꭈꭉ𝼖",
    "s": "ƽȿʂѕտᏕᏚᵴᶊꓢꜱꞩꟊ𝼞",
    "t": "ŧƫƭȶʈτтҭᎢᴛᵵⱦⲧꓔ𝼉",
    "u": "ʉսᏌᑌᴜᵾᶙꓴꞟꞹꭎꭒ",
    "v": "ʋѵᏙᐯᴠᶌⱱⱴⴸꓦꝟ",
    "w": "ɯωѡѽԝաᎳᏔᴡⱳꓪꝡ",
    "x": "χхҳᕁᕽᶍⲭⵝꓫꭓꭖꭗꭘꭙ",
    "y": "ƴɏɣʏγυуүұᎩᎽỿⲩꓬꭚ",
    "z": "ƶȥɀʐʑζᏃᴢᵶᶎⱬꓜ",
}
#: By katakana.
KATAKANA = {
    "イ": "亻",
    "エ": "工",
    "カ": "力",
    "タ": "夕",
    "ト": "卜",
    "ニ": "二",
    "ノ": "丿",
    "ハ": "八",
    "ロ": "口囗",
    "ー": "一",
}
