"""The table of look-alikes: how it is made from Unicode's file, and what the committed one holds."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.features.normal_form import normalise
from streams.rule_engine import look_alikes
from streams.rule_engine.unicode_confusables import (
    SCRIPTS,
    katakana_look_alikes,
    latin_look_alikes,
    main,
    read_confusables,
)
from streams.rule_engine.views import WayBack, in_view, places_of, safe

#: Lines of confusables.txt 13.0.0, © Unicode, Inc.
EXCERPT = Path(__file__).with_name("confusables_excerpt.txt").read_text("utf-8")

LATIN = {other: letter for letter, others in look_alikes.LATIN.items() for other in others}
KATAKANA = {other: letter for letter, others in look_alikes.KATAKANA.items() for other in others}


def test_what_is_made_of_the_file() -> None:
    found = list(read_confusables(EXCERPT.splitlines()))
    latin = latin_look_alikes(found)
    assert {character: latin.get(character) for character in "іνвнøꓲᏞз"} == {
        "і": "i",  # its capital is drawn like I, which the file writes as l
        "ν": "n",  # the capital decides
        "в": "b",
        "н": "h",
        "ø": "o",
        "ꓲ": "i",
        "Ꮮ": "l",
        "з": None,  # its capital is drawn like a digit
    }
    assert katakana_look_alikes(found) == {"力": "カ", "口": "ロ", "囗": "ロ", "一": "ー"}


def test_the_committed_table_agrees_with_the_file() -> None:
    found = list(read_confusables(EXCERPT.splitlines()))
    drawn_alike = {
        character: letter
        for character, letter in latin_look_alikes(found).items()
        if character in {one.source for one in found}
    }
    assert len(drawn_alike) >= 8
    assert drawn_alike.items() <= LATIN.items()
    assert katakana_look_alikes(found).items() <= KATAKANA.items()


def test_the_module_is_written_whole(tmp_path: Path) -> None:
    source, target = tmp_path / "confusables.txt", tmp_path / "written.py"
    source.write_text(f"\ufeff# Version: 13.0.0\n#\n{EXCERPT}", "utf-8")
    main(source, target)
    assert "confusables.txt 13.0.0" in target.read_text("utf-8")
    written: dict[str, dict[str, str]] = {}
    exec(target.read_text("utf-8"), written)
    assert "в" in written["LATIN"]["b"]
    assert written["KATAKANA"]["ロ"] == "口囗"


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("0406 ; 006C", "utf-8")
    with pytest.raises(SystemExit, match="names no version"):
        main(tmp_path / "other.txt", tmp_path / "written.py")
    assert not (tmp_path / "written.py").exists()


def test_keys_are_letters_of_the_normal_form_and_of_the_scripts_named() -> None:
    assert len(LATIN) > 300
    for character in LATIN:
        assert normalise(character) == character, "it would never be looked up"
        assert unicodedata.name(character).startswith(SCRIPTS)
    assert not [character for character in LATIN if character.isascii()]
    assert {*LATIN.values()} <= {*"abcdefghijklmnopqrstuvwxyz"}


@pytest.mark.parametrize(
    "written",
    ["ꓡꓲꓠꓰ", "ᏞᎥոᎬ", "ʟɪɴᴇ", "ӏіոе", "LΙΝΕ", "ⳑіռе", "Łɨɳɇ", "L̵I̷N̸E"],
)
def test_a_name_in_other_alphabets_is_read(written: str) -> None:
    assert in_view(written, "fold") == "line"


_ALIKE = st.text(
    st.sampled_from([*LATIN, *KATAKANA, *"ライン カー一二口エ工line L.ー", "́", "̸", "\u200b"]), max_size=30
)


@given(_ALIKE, st.data())
def test_places_of_look_alikes_lead_back_to_what_was_written(text: str, data: st.DataObject) -> None:
    """Each letter of the fold view is what its place in the original text folds to, katakana beside kanji apart."""
    safe_view, folded = safe(text), in_view(text, "fold")
    places, way = places_of(safe_view, "fold"), WayBack.of(text, safe_view)
    assert len(places.starts) == len(folded)
    if not folded:
        return
    at = data.draw(st.integers(0, len(folded) - 1))
    start, end = way.span("fold", at, at + 1)
    written = safe(text[start:end])
    drawn = "".join(LATIN.get(character, KATAKANA.get(character, character)) for character in written)
    assert folded[at] in written + in_view(drawn, "fold")
