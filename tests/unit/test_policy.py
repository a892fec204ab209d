"""domains.yaml: what it says, and every mistake in it at once."""

from __future__ import annotations

from pathlib import Path

from streams.policy import Domain, ModelRef, Policy, parse_policy

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
"""
_BAD = _BAD.replace("TITLE", "x" * 201)
