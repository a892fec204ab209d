from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from streams.cli.printable import printable


def test_escape_sequences_and_reversals_do_not_reach_the_terminal() -> None:
    assert printable("a\x1b[2Jb\u202ec\nd\te") == "a\ufffd[2Jb\ufffdc d e"


def test_a_long_text_is_cut() -> None:
    assert printable("あいうえお", 3) == "あい…"
    assert printable("あいう", 3) == "あいう"


@given(st.text(st.characters(), max_size=50))
def test_the_result_can_be_encoded_is_one_line_and_keeps_offsets(text: str) -> None:
    shown = printable(text)

    shown.encode()
    assert len(shown) == len(text)
    assert not [character for character in shown if unicodedata.category(character) in {"Cc", "Cs"}]
    assert printable(shown) == shown
