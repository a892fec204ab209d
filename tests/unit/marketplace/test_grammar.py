"""Templates, and their split between training and evaluation."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.grammar import Family, Voice, parse
from marketplace.lexicon import SLOTS, bindings
from marketplace.phrases import contact, harassment, listings, ordinary, payment

FAMILIES = [
    value
    for module in (payment, contact, harassment, ordinary, listings)
    for value in vars(module).values()
    if isinstance(value, Family)
]


def test_alternatives_and_slots_nest() -> None:
    voice = Voice("en", "every", {"app": ("(Sig|Tele)nal",)})
    said = {voice.fill("(add|find) me on {app}(!|)", Random(seed)) for seed in range(200)}
    assert said == {
        f"{verb} me on {app}nal{end}"
        for verb in ("add", "find")
        for app in ("Sig", "Tele")
        for end in ("!", "")
    }


def test_bindings_beat_slots_and_digits_are_drawn() -> None:
    voice = Voice("en", "every", {"item": ("bag",)}, {"item": "watch"})
    text = voice.fill("{item} {digits3}", Random(1))
    assert text.startswith("watch ")
    assert len(text.split()[1]) == 3
    assert text.split()[1].isdigit()


@pytest.mark.parametrize("template", ["a)b", "(a|b", "{app", "((a)"])
def test_unbalanced_templates_are_refused_by_name(template: str) -> None:
    with pytest.raises(ValueError, match="template"):
        parse(template)


def test_unknown_slot_is_named() -> None:
    with pytest.raises(KeyError, match="colour"):
        Voice("en", "every", {}).fill("{colour}", Random(1))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_template_can_be_said(family: Family, language: str) -> None:
    rng = Random(7)
    voice = Voice(language, "every", SLOTS[language], {**bindings(language, rng), "brand": "Valmont"})
    for template in family.templates[language]:
        for _ in range(10):
            text = voice.fill(template, rng)
            assert text.strip()
            assert not set("{}|") & set(text)


@given(
    st.lists(st.text("abc ", min_size=1), min_size=10, max_size=40, unique=True),
    st.randoms(use_true_random=False),
)
def test_no_phrasing_is_both_trained_on_and_held_out(templates: list[str], rng: Random) -> None:
    family = Family("f", {"en": tuple(templates), "ja": ()})
    known = set(family.pool("en", "known", rng))
    unseen = set(family.pool("en", "unseen", rng))
    validation = {t for _ in range(30) for t in family.pool("en", "validation", rng)} - known
    assert known
    assert unseen
    assert validation
    assert known.isdisjoint(unseen)
    assert validation.isdisjoint(unseen)
    assert known | unseen | validation == set(templates)


def test_small_families_are_shared_by_all_voices() -> None:
    family = Family("greeting", {"en": ("hi", "hello"), "ja": ()})
    assert family.pool("en", "unseen", Random(1)) == family.pool("en", "known", Random(1)) == ("hi", "hello")
