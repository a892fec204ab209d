"""Words are found where they stand and nowhere else, although the automaton reads one byte of each character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.rule_engine.words import WordFinder

#: All of these have the low byte 0x42 or 0x44: あ-like letters, Latin ones, kanji, an emoji, one outside the BMP.
_ALIKE = "BいD䁂乂らńłЂф🁂𝁂𝁄\ud842"
_texts = st.text(alphabet=st.one_of(st.sampled_from(_ALIKE), st.sampled_from(_ALIKE[:3])), max_size=12)
_words = st.lists(_texts.filter(bool), max_size=8, unique=True)


def _places(word: str, text: str) -> list[tuple[int, int]]:
    return [(at, at + len(word)) for at in range(len(text)) if text.startswith(word, at)]


@given(_words, _texts, st.integers(1, 3))
def test_the_places_are_those_of_a_plain_search(words: list[str], text: str, automata: int) -> None:
    finder = WordFinder()
    numbered = list(zip(words, range(100, 200), strict=False))
    for number in range(automata):
        if some := numbered[number::automata]:
            finder.add(some)
    expected = {atom: places for word, atom in numbered if (places := _places(word, text))}
    assert finder.find(text) == expected


def test_words_of_the_same_low_bytes_are_told_apart() -> None:
    finder = WordFinder()
    finder.add([("いい", 1), ("DD", 2), ("乂乂", 3)])
    assert finder.find("xいいDD") == {1: [(1, 3)], 2: [(3, 5)]}


def test_no_words_are_found_nowhere() -> None:
    assert WordFinder().find("text") == {}
