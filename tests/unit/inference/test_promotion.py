from __future__ import annotations

import pytest
import yaml

from streams.inference.promotion import NoChampionError, settled, with_champion
from streams.policy import parse_policy

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


TRIAL = """\
format: 1
domains:
  pay: # the first
    title: One
    applies_to: message
    severity: high
    champion: {model: message_a, version: 1, threshold: 0.9}  # since May
    @
    # what people can review
    budget: {alerts_per_day: 500, mode: adaptive}
  rude: {title: Two, applies_to: message, severity: low, champion: {model: message_a, version: 1, threshold: 0.7}}
patrol: {share: {message: 0.001}}
"""
ENTRIES = (
    "challenger: {model: message_a, version: 2, threshold: 0.8, mode: canary, share: 0.1} # try\n    ",
    "challenger:\n      model: message_a\n      version: 2\n      threshold: 0.8\n      mode: shadow\n    ",
    "challenger: {model: message_a,\n      version: 2, threshold: 0.8}\n    ",
)


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_challenger_that_is_promoted_challenges_no_more(entry):
    changed = with_champion(TRIAL.replace("@\n    ", entry), "message_a", 2, 0.85)
    assert changed == TRIAL.replace("    @\n", "").replace("version: 1, threshold: 0.9", "version: 2, threshold: 0.85").replace(
        "version: 1, threshold: 0.7", "version: 2, threshold: 0.85"
    )  # fmt: skip
    assert parse_policy(changed.encode(), "domains.yaml")[1] == []


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_trial_ends_in_one_domain_alone(entry):
    text = TRIAL.replace("@\n    ", entry)
    promoted = settled(text, "pay", "message_trunk", 7, 0.00001)
    assert promoted == TRIAL.replace("    @\n", "").replace(
        "champion: {model: message_a, version: 1, threshold: 0.9}",
        "champion: {model: message_trunk, version: 7, threshold: 0.00001}",
    )
    kept = settled(text, "pay", "message_a", 1, 0.9)
    assert kept == TRIAL.replace("    @\n", "")
    for changed in (promoted, kept):
        policy, issues = parse_policy(changed.encode(), "domains.yaml")
        assert policy is not None, [issue.render() for issue in issues]
        assert policy.domains["pay"].budget_mode == "adaptive"
        assert policy.patrol.message == 0.001


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{challenger: {model: m_b, version: 2, threshold: 0.5}, champion: C}", "{champion: C}"),
        ("{champion: C, challenger: {model: m_b, version: 2, threshold: 0.5}}", "{champion: C}"),
        (
            "{champion: C, challenger: {model: m_b, version: 2, threshold: 0.5}, title: t}",
            "{champion: C, title: t}",
        ),
    ],
)
def test_a_trial_in_braces_ends_too(before, after):
    old, new = "{model: m_a, version: 1, threshold: 0.5}", "{model: m_b, version: 2, threshold: 0.25}"
    changed = settled(f"domains:\n  d: {before.replace('C', old)}\n", "d", "m_b", 2, 0.25)
    assert changed == f"domains:\n  d: {after.replace('C', new)}\n"


def test_a_domain_without_champion_is_settled_with_its_first():
    text = "domains:\n  d:\n    title: t\n"
    assert (
        settled(text, "d", "m_b", 2, 1.0) == text + "    champion: {model: m_b, version: 2, threshold: 1.0}\n"
    )


def test_a_domain_that_is_not_there():
    with pytest.raises(NoChampionError, match="there is no domain e"):
        settled("domains:\n  d:\n    title: t\n", "e", "m_b", 2, 0.5)


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
