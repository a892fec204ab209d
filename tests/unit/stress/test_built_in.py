"""The built-in events against the shipped rules, compiled and asked as a worker does."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter, defaultdict
from itertools import islice, pairwise
from pathlib import Path

import pytest

from streams.events import decode_listing, decode_message
from streams.features.image_decode import decode_image
from streams.rule_engine import RuleSet, ScannedTurn
from streams.rulebook.check import check
from streams.rulebook.files import SourceFile, take_snapshot
from streams.stress.built_in import FIRING_SHARE, drafts
from streams.stress.material import Draft, record
from streams.stress.rule_samples import NoPolicy, RuleSamples, rule_samples

RULES = Path(__file__).parents[3] / "rules"
NOW_US = 1_795_284_000_000_000
RUN = "stress-20261121T180000Z-3f9a1c"


@pytest.fixture(scope="module")
def samples() -> RuleSamples:
    return rule_samples(take_snapshot(RULES).files, now_us=NOW_US)


@pytest.fixture(scope="module")
def sent(samples: RuleSamples) -> list[Draft]:
    return list(islice(drafts(samples, seed=3), 6_000))


def test_every_event_is_of_the_contract(sent: list[Draft]) -> None:
    for number, draft in enumerate(sent):
        out = record(draft, RUN, number, NOW_US)
        decode_one = decode_message if draft.topic == "messages" else decode_listing
        decoded = decode_one(out.value, key=out.key, timestamp_us=NOW_US, headers=out.headers)  # type: ignore[operator]
        assert (decoded.notes, decoded.unknown_fields) == ((), ())


def test_no_rule_fires_so_often_that_the_safety_valve_would_set_it_to_shadow(
    samples: RuleSamples, sent: list[Draft]
) -> None:
    bundle = check(take_snapshot(RULES).files, now_us=NOW_US)
    rules = RuleSet(bundle.rules)
    active = {rule.id for rule in bundle.rules if rule.mode == "active"}
    windows: dict[str, list[ScannedTurn]] = defaultdict(list)
    fired: Counter[str] = Counter()
    alerting: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for number, draft in enumerate(sent):
        body = draft.body
        kinds[draft.topic] += 1
        if draft.topic == "messages":
            window = windows[draft.conversation]
            window.append(ScannedTurn(str(number), body["writer"], rules.scan(body["text"])))
            facts = {"status": body["status"], "writer": body["writer"]}
            hits = rules.evaluate_message(window[-5:], facts, at_us=NOW_US)
        else:
            scans = {name: rules.scan(body.get(name, "")) for name in ("title", "description")}
            facts = {
                name: body[name] for name in ("price", "currency", "category", "condition") if name in body
            }
            hits = rules.evaluate_listing(scans, facts, at_us=NOW_US)
        ids = {hit.rule_id for hit in hits} & active
        fired.update((draft.topic, one) for one in ids)
        alerting[draft.topic] += bool(ids)
    for (topic, rule), count in fired.items():
        assert count <= samples.max_share / 2 * kinds[topic], rule
    for topic in ("messages", "listings"):
        # A little more than the share may come from ordinary texts; far fewer and there would be nothing to time.
        assert 0.5 * FIRING_SHARE <= alerting[topic] / kinds[topic] <= 1.5 * FIRING_SHARE
    assert len(fired) >= 15, "the alerts are of many rules"


def test_a_stricter_valve_is_kept_to(samples: RuleSamples) -> None:
    strict = RuleSamples(samples.firing, samples.harmless, max_share=0.01)
    words = {body.get("text") for scene in samples.firing for body in scene.bodies}
    events = [d for d in islice(drafts(strict, seed=3), 8_000) if d.topic == "messages"]
    assert sum(d.body["text"] in words for d in events) <= 0.01 * len(events)


def test_conversations_are_many_interleaved_and_end(sent: list[Draft]) -> None:
    turns = Counter(draft.conversation for draft in sent if draft.topic == "messages")
    assert len(turns) > 500
    assert max(turns.values()) <= 8 + 5
    names = [draft.conversation for draft in sent if draft.topic == "messages"]
    assert sum(a == b for a, b in pairwise(names)) < 0.05 * len(names)


def test_the_same_seed_gives_the_same_events(samples: RuleSamples) -> None:
    first, again, other = (list(islice(drafts(samples, seed=seed), 300)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_share_of_listings_and_pictures_that_can_be_decoded(
    samples: RuleSamples, sent: list[Draft]
) -> None:
    assert {draft.topic for draft in islice(drafts(samples, seed=1, listing_share=0.0), 200)} == {"messages"}
    listings = [draft.body for draft in sent if draft.topic == "listings"]
    assert 0.15 < len(listings) / len(sent) < 0.25
    pictured = [body for body in listings if "images" in body]
    assert 0.5 < len(pictured) / len(listings) < 0.9
    data = {body["images"][0]["data"] for body in pictured}
    assert len(data) > 5
    for one in data:
        assert decode_image(b64decode(one)).std() > 10


def test_rules_without_samples_leave_ordinary_talk() -> None:
    nothing = RuleSamples((), (), 0.1)
    assert {draft.topic for draft in islice(drafts(nothing, seed=1), 200)} == {"messages", "listings"}


RULE = """\
format: 1
defaults: {domain: pay, owner: o@example.com}
rules:
  - id: pay.live
    description: d
    mode: active
    match: {any: [振込]}
    when: {status: [shipped]}
    tests:
      should_match: [振込で払います, {messages: [{writer: buyer, text: はい}, {writer: buyer, text: 振込です}]}]
      should_not_match: [ふりこみ]
  - id: pay.shadowed
    description: d
    mode: shadow
    match: {any: [送金]}
    tests: {should_match: [送金します], should_not_match: [送料]}
  - id: pay.over
    description: d
    mode: active
    valid_until: 2026-01-01T00:00:00Z
    match: {any: [為替]}
    tests: {should_match: [為替で], should_not_match: [両替]}
"""
POLICY = "format: 1\ndomains:\n  pay: {title: t, applies_to: message, severity: high}\n"


def test_only_what_alerts_now_is_among_the_firing() -> None:
    files = [SourceFile("domains.yaml", POLICY.encode()), SourceFile("pay.yaml", RULE.encode())]
    found = rule_samples(files, now_us=NOW_US)
    assert [[(b["writer"], b["text"], b.get("status")) for b in scene.bodies] for scene in found.firing] == [
        [("seller", "振込で払います", "shipped")],
        [("buyer", "はい", "shipped"), ("buyer", "振込です", "shipped")],
    ]
    assert [scene.bodies[0]["text"] for scene in found.harmless] == ["ふりこみ", "送料", "両替"]
    assert found.max_share == 0.1


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "there is no domains.yaml"),
        ([SourceFile("rules/domains.yaml", b"format: 1\n")], r"rules/domains.yaml:1:1: .*domains"),
    ],
)
def test_without_a_policy_it_says_so(files: list[SourceFile], said: str) -> None:
    with pytest.raises(NoPolicy, match=said):
        rule_samples(files, now_us=NOW_US)
