"""A phone number beside a letter with ten thousand marks held the worker for a quarter of an hour.

Every mark was normalised together with all those before it, and of two kinds in turn that takes the cube of their
number. The limits of time below are hundreds of times what is needed now.
"""

from __future__ import annotations

import pytest

from streams.features.masking import EXCERPT_END, masked_excerpt
from streams.features.normal_form import align, normalise
from streams.features.tokens import TextPipeline

PHONE = "電話 090-1234-5678 "
HEAPS = {"two kinds": "\u0301\u0316" * 5_000, "one kind": "\u0301" * 10_000, "half-width": "ﾞ" * 10_000}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("heap", HEAPS.values(), ids=HEAPS)
def test_a_heap_of_marks_is_masked(heap: str) -> None:
    text = f"{PHONE}か{heap} taro@example.com"
    assert "090" not in masked_excerpt(text, 0, 30)
    assert TextPipeline().prepare(text).masked.startswith("電話 〈PHONE〉 か")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("heap", HEAPS.values(), ids=HEAPS)
def test_it_is_still_the_same_normal_form(heap: str) -> None:
    text = f"a{heap[:300]}が{heap[:40]}\u1100\u1161\u11a8"
    assert align(text).text == normalise(text)


def test_an_excerpt_ends_where_rules_stop_to_look() -> None:
    text = "あ" * (EXCERPT_END - 5) + "090-1234-5678" + "い" * 90_000
    excerpt = masked_excerpt(text, EXCERPT_END - 10, len(text))
    assert excerpt == "あ" * 5 + "〈PHONE〉…"
