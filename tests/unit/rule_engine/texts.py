"""Texts that are hard on text views and matchers, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

#: Characters that normalisation joins, splits, drops or swaps, beside ordinary ones.
AWKWARD = (
    "ラインらいんLINEline１２ABCａｂｃ　 \n\t.-ー〜~‐―"
    "ﾗｲﾝｶﾞﾊﾟ゛゜\u3099\u309a\u0301\u0336か゛がぱﾞ"
    "\u200b\u200d\u00ad\ufeff\u2060\ufe0f\u3164\uffa0"
    "\ud800\udfff\x00\x07\x85\u2028"
    "🅻🄻🇱Ⓛ𝐋ℓßİıſςΣéÅ①㌔㍻ﷺ각각ﾡ"
    "аіΝΕ力口二工一ロ"
    "円殺す直接"
)
awkward_text = st.text(alphabet=st.sampled_from(AWKWARD), max_size=40)
any_text = st.text(alphabet=st.characters(), max_size=40)  # surrogates among them
texts = st.one_of(awkward_text, any_text)
