"""domains.yaml: what it says, and every mistake in it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.policy import Domain, ModelRef, Patrol, Policy, Trial, parse_policy

_GOOD = """\
format: 1
domains:
  off_platform_payment:
    title: Pays elsewhere
    applies_to: message
    severity: high
    champion: {model: message_off_platform_payment, version: 3, threshold: 0.91}
    challenger: {model: message_off_platform_payment, version: 4, threshold: 0.88}
    budget: {alerts_per_day: 500}
  shortage_resale:
    title: Resells
    applies_to: listing
    severity: low
"""


def _policy(text: str) -> Policy:
    policy, issues = parse_policy(text.encode(), "domains.yaml")
    assert [issue.render() for issue in issues] == []
    assert policy is not None
    return policy


def test_everything_is_read() -> None:
    policy = _policy(_GOOD)
    assert policy.domains["off_platform_payment"] == Domain(
        "off_platform_payment",
        "Pays elsewhere",
        "message",
        "high",
        ModelRef("message_off_platform_payment", 3, 0.91),
        ModelRef("message_off_platform_payment", 4, 0.88),
        500,
    )
    assert policy.domains["shortage_resale"] == Domain(
        "shortage_resale", "Resells", "listing", "low", None, None, None
    )


def test_domains_of_a_kind() -> None:
    policy = _policy(_GOOD)
    assert [domain.name for domain in policy.for_kind("message")] == ["off_platform_payment"]
    assert [domain.name for domain in policy.for_kind("listing")] == ["shortage_resale"]
    assert policy.for_kind("decision") == ()


def test_the_version_is_of_what_it_says() -> None:
    rewritten = "# a comment\n" + _GOOD.replace("title: Resells", 'title: "Resells"')
    assert _policy(rewritten).version == _policy(_GOOD).version
    head, _, last = _GOOD.partition("  shortage_resale:")
    first = head.removeprefix("format: 1\ndomains:\n")
    assert _policy(f"format: 1\ndomains:\n  shortage_resale:{last}{first}").version == _policy(_GOOD).version
    assert _policy(_GOOD.replace("0.91", "0.92")).version != _policy(_GOOD).version


def test_a_file_without_the_newer_fields_keeps_the_version_that_it_always_had() -> None:
    """Alerts and predictions of years name it: the figures are those of the engine before these fields."""
    assert _policy(_GOOD).version == "c9a43917655f11a7"
    valve = "safety_valve: {max_share: 0.2, over_events: 5000}\n"
    assert _policy(valve + _GOOD).version == "3fe318dccc5d1a82"
    usual = _GOOD.replace("0.88}", "0.88, mode: beside}").replace("500}", "500, mode: fixed}")
    assert _policy(usual + "patrol: {share: {message: 0}}\n").version == "c9a43917655f11a7"


@pytest.mark.parametrize(
    ("trial", "read"),
    [
        ("mode: beside", Trial()),
        ("mode: shadow", Trial("shadow")),
        ("mode: canary, share: 0.05", Trial("canary", 0.05)),
        ("mode: canary, share: 1", Trial("canary", 1.0)),
    ],
)
def test_how_a_challenger_takes_part(trial: str, read: Trial) -> None:
    policy = _policy(_GOOD.replace("0.88}", f"0.88, {trial}}}"))
    domain = policy.domains["off_platform_payment"]
    assert domain.challenger == ModelRef("message_off_platform_payment", 4, 0.88)
    assert domain.trial == read
    assert (policy.version == _policy(_GOOD).version) == (read == Trial())


def test_a_challenger_beside_the_champion_has_half_of_the_budget() -> None:
    def each(text: str) -> float | None:
        return _policy(text).domains["off_platform_payment"].alerts_per_day_each

    assert each(_GOOD) == 250
    assert each(_GOOD.replace("0.88}", "0.88, mode: shadow}")) == 500
    assert each(_GOOD.replace("0.88}", "0.88, mode: canary, share: 0.1}")) == 500
    assert each("\n".join(line for line in _GOOD.splitlines() if "challenger" not in line)) == 500
    assert each(_GOOD.replace("    budget: {alerts_per_day: 500}\n", "")) is None


def test_the_patrol_and_the_budget_are_read() -> None:
    adaptive = _GOOD.replace("500}", "500, mode: adaptive}")
    policy = _policy(adaptive + "patrol: {share: {message: 0.0005, listing: 0.001}}\n")
    assert policy.domains["off_platform_payment"].budget_mode == "adaptive"
    assert policy.patrol == Patrol(message=0.0005, listing=0.001)
    assert (policy.patrol.share("message"), policy.patrol.share("listing")) == (0.0005, 0.001)
    assert _policy(_GOOD + "patrol: {share: {listing: 0.001}}\n").patrol == Patrol(listing=0.001)
    assert len({policy.version, _policy(adaptive).version, _policy(_GOOD).version}) == 3


def test_every_mistake_is_named_with_its_place() -> None:
    approved = Path(__file__).with_name("test_policy.approved.txt")
    policy, issues = parse_policy(_BAD.encode(), "domains.yaml")
    assert policy is None
    assert "".join(f"{issue.render()}\n" for issue in issues) == approved.read_text("utf-8")


def test_an_empty_policy_is_none() -> None:
    for text in (
        "",
        "format: 1\n",
        "format: 1\ndomains: {}\n",
        "format: 1\ndomains: []\n",
        "format: 2\ndomains: {a_b: {}}\n",
    ):
        policy, issues = parse_policy(text.encode(), "domains.yaml")
        assert policy is None
        assert issues


_BAD = """\
format: 1
domain: 3
domains:
  Bad-Name: {title: x, applies_to: message, severity: high}
  no_title:
    applies_to: mesage
    severity: hihg
    champoin: {model: m_m, version: 1, threshold: 0.5}
  empty:
  number: 3
  models:
    title: 7
    applies_to: listing
    severity: low
    champion: {model: Bad Model, version: 0, threshold: 1.5, more: 1}
    challenger: {model: good_model, version: "1", threshold: true}
    budget: {alerts_per_day: 0}
  challenger_alone:
    title: x
    applies_to: message
    severity: low
    challenger: {model: good_model, version: 1, threshold: 0.5}
  same:
    title: x
    applies_to: message
    severity: low
    champion: {model: good_model, version: 1, threshold: 0.5}
    challenger: {model: good_model, version: 1, threshold: 0.6}
    budget: 5
  long_title:
    title: TITLE
    applies_to: message
    severity: low
    champion: 5
  patrol:
    title: x
    applies_to: message
    severity: low
  trials:
    title: x
    applies_to: message
    severity: low
    champion: {model: good_model, version: 1, threshold: 0.5}
    challenger: {model: good_model, version: 2, threshold: 0.5, mode: canary}
  unused_share:
    title: x
    applies_to: message
    severity: low
    champion: {model: good_model, version: 1, threshold: 0.5, mode: shadow}
    challenger: {model: good_model, version: 2, threshold: 0.5, share: 2}
  adaptive:
    title: x
    applies_to: message
    severity: low
    budget: {mode: adaptive}
  modes:
    title: x
    applies_to: message
    severity: low
    champion: {model: good_model, version: 1, threshold: 0.5}
    challenger: {model: good_model, version: 2, threshold: 0.5, mode: canari}
    budget: {alerts_per_day: 5, mode: adaptiv}
  kinds:
    title: x
    applies_to: listing
    severity: low
    champion: {model: listing_good, version: 1, threshold: 0.5}
    challenger: {model: message_good, version: 2, threshold: 0.5}
patrol: {share: {message: 5%, image: 0.1}, per_day: 5}
"""
_BAD = _BAD.replace("TITLE", "x" * 201)
