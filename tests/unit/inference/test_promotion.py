from __future__ import annotations

import pytest
import yaml

from streams.inference.promotion import NoChampionError, with_champion

POLICY = """\
# 日本語 comments stay, and so does the layout.
format: 1
domains:
  a:
    title: "One: {model: message_a, version: 1}"   # not a champion
    champion: {model: message_a, version: 1, threshold: 0.9}
    challenger: {model: message_a, version: 2, threshold: 0.8}
  b:
    champion:
      threshold: 0.50  # agreed
      model: message_b
      version: 7
  c: {title: no model}
"""


def test_only_version_and_threshold_of_the_champion_change():
    changed = with_champion(POLICY, "message_a", 12, 0.8765)
    assert changed == POLICY.replace(
        "champion: {model: message_a, version: 1, threshold: 0.9}",
        "champion: {model: message_a, version: 12, threshold: 0.8765}",
    )


def test_block_style_in_any_order():
    assert with_champion(POLICY, "message_b", 8, 0.625) == POLICY.replace("0.50  #", "0.625  #").replace(
        "version: 7", "version: 8"
    )


def test_no_champion_of_that_model():
    with pytest.raises(NoChampionError, match="no domain has a champion message_c"):
        with_champion(POLICY, "message_c", 1, 0.5)


def test_an_incomplete_champion():
    with pytest.raises(NoChampionError, match="line 3: the champion has no version"):
        with_champion(
            "domains:\n  a:\n    champion: {model: message_a, threshold: 0.5}\n", "message_a", 1, 0.5
        )


@pytest.mark.parametrize("text", ["", "[]", "domains: []", "domains: {a: 1}"])
def test_other_shapes_have_no_champion(text):
    with pytest.raises(NoChampionError):
        with_champion(text, "message_a", 1, 0.5)


FIRST = "champion: {model: message_new, version: 1, threshold: 0.9}"


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("domains:\n  new:\n    title: t  # why\n  other: {title: o}\n", "domains:\n  new:\n    title: t  # why\n    @\n  other: {title: o}\n"),
        ("domains:\n  new:\n    title: t", "domains:\n  new:\n    title: t\n    @"),
        ("domains:\n  new: {title: t}\n", "domains:\n  new: {title: t, @}\n"),
        ("domains:\n  new:\n    title: t\n    budget: {alerts_per_day: 5}\n\n", "domains:\n  new:\n    title: t\n    budget: {alerts_per_day: 5}\n    @\n\n"),
        ("domains:\n  new:\n    title: t\n    budget:\n      alerts_per_day: 5\n# next\n", "domains:\n  new:\n    title: t\n    @\n    budget:\n      alerts_per_day: 5\n# next\n"),
    ],
)  # fmt: skip
def test_a_domain_without_a_model_gets_its_first_champion(domain, expected):
    changed = with_champion(domain, "message_new", 1, 0.9, domain="new")
    assert changed == expected.replace("@", FIRST)
    assert yaml.safe_load(changed)["domains"]["new"]["champion"]["version"] == 1
    assert with_champion(changed, "message_new", 2, 0.8) == changed.replace(
        "version: 1", "version: 2"
    ).replace("0.9", "0.8")


@pytest.mark.parametrize("domain", ["missing", "taken", "empty"])
def test_another_s_place_is_not_taken(domain):
    text = "domains:\n  taken: {champion: {model: message_old, version: 1, threshold: 0.5}}\n  empty: {}\n"
    with pytest.raises(NoChampionError):
        with_champion(text, "message_new", 1, 0.9, domain=domain)
