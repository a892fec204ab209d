"""Rule files: everything a rule can say, and every mistake with its place and cure."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from streams.diagnostics import in_reading_order
from streams.policy import Domain
from streams.rule_engine.reading import read_list_file, read_rule_file
from streams.rule_engine.rule import Condition, Count, Match, Near, Rule, Window
from streams.rule_engine.samples import Sample

_HERE = Path(__file__).parent
_DOMAINS = {
    "contact_exchange": Domain("contact_exchange", "x", "message", "medium"),
    "counterfeit": Domain("counterfeit", "x", "listing", "critical"),
}
#: 2026-11-21T00:00:00Z
_NOW_US = 1_795_219_200 * 1_000_000

_FULL = """\
format: 1
defaults: {domain: contact_exchange, owner: me, tags: [t], mode: active}
lists:
  apps: [ライントーク, LINE]
  vips: [u7, u8]
rules:
  - id: contact.full
    description: All there is for messages
    severity: high
    score: 70
    mode: shadow
    applies_to: message
    window: {messages: 4, scope: together, same_writer: false}
    match:
      all:
        - list: apps
          boundary: auto
        - near: {a: [交換して], b: [教えて, {list: apps}], within: 7}
        - count: {of: {list: apps}, at_least: 2, distinct: false}
          view: squeeze
          boundary: token
        - regex: '口座[0-9]'
          field: text
          view: digits
        - any: [かきくけ]
          view: safe
        - さしすせ
      none: [禁止, {any: [だめです], boundary: none}]
      view: fold
      boundary: auto
    when:
      status: [shipped, completed]
      writer: buyer
      sender_id: {not_in: [a, b]}
    except: {phrases: [ライントーク引き], writers: [u1], writer_groups: [vips]}
    valid_from: 2026-11-01T00:00:00+09:00
    valid_until: "2027-11-01T00:00:00Z"
    tags: [a, b]
    refs: ["https://example.com/1"]
    tests:
      should_match:
        - {text: x, status: shipped, at: 2026-11-21T00:00:00Z}
        - {messages: [a, {writer: buyer, text: b}]}
      should_not_match:
        - ok
  - id: listing.full
    description: All there is for listings
    domain: counterfeit
    applies_to: {type: listing, fields: [title]}
    match: {any: [コピー品], field: title}
    when:
      price: {gte: 1, lt: 30000.5}
      attributes.size: [1, true, L]
    tests:
      should_match:
        - {title: x, description: y, price: 5, attributes.size: 1, category: bags}
"""


def test_everything_is_read() -> None:
    read, issues = read_rule_file(_FULL.encode(), "f.yaml", _DOMAINS, now_us=_NOW_US)
    assert [issue.render() for issue in issues] == []
    message, listing = read
    assert message.rule == Rule(
        id="contact.full",
        description="All there is for messages",
        domain="contact_exchange",
        kind="message",
        severity="high",
        mode="shadow",
        score=70,
        match=Match(
            all=(
                Match(any=("ライントーク", "LINE"), view="fold", boundary="auto"),
                Match(
                    near=Near(("交換して",), ("教えて", "ライントーク", "LINE"), 7),
                    view="fold",
                    boundary="auto",
                ),
                Match(
                    count=Count(("ライントーク", "LINE"), 2, distinct=False), view="squeeze", boundary="token"
                ),
                Match(regex="口座[0-9]", field="text", view="digits"),
                Match(any=("かきくけ",), view="safe", boundary="auto"),
                "さしすせ",
            ),
            none=("禁止", Match(any=("だめです",), view="fold", boundary="none")),
            view="fold",
            boundary="auto",
        ),
        window=Window(messages=4, scope="together", same_writer=False),
        when={
            "status": Condition(one_of=("shipped", "completed")),
            "writer": Condition(one_of=("buyer",)),
            "sender_id": Condition(not_in=("a", "b")),
        },
        except_phrases=("ライントーク引き",),
        except_writers=("u1", "u7", "u8"),
        valid_from_us=1_793_458_800_000_000,
        valid_until_us=1_825_027_200_000_000,
        owner="me",
        tags=("a", "b"),
        refs=("https://example.com/1",),
    )
    assert message.samples == (
        Sample(True, 0, 42, 11, (("seller", "x"),), (), (("status", "shipped"),), 1_795_219_200_000_000),
        Sample(True, 1, 43, 11, (("seller", "a"), ("buyer", "b")), (), (("writer", "buyer"),)),
        Sample(False, 0, 45, 11, (("seller", "ok"),)),
    )
    assert (listing.rule.kind, listing.rule.fields, listing.rule.severity) == (
        "listing",
        ("title",),
        "critical",
    )
    assert (listing.rule.mode, listing.rule.tags, listing.rule.owner) == ("active", ("t",), "me")
    assert listing.rule.when["price"] == Condition(gte=1, lt=30000.5)
    assert listing.rule.when["attributes.size"].one_of == (1.0, True, "L")
    assert [type(value) for value in listing.rule.when["attributes.size"].one_of] == [float, bool, str]
    assert listing.samples[0].facts == (("price", 5.0), ("attributes.size", 1.0), ("category", "bags"))


def test_a_rule_survives_the_bundle() -> None:
    read, _ = read_rule_file(_FULL.encode(), "f.yaml", _DOMAINS, now_us=_NOW_US)
    for found in read:
        again = msgspec.json.decode(msgspec.json.encode(found.rule), type=Rule)
        assert again == found.rule
        assert again.version() == found.rule.version()


def test_every_mistake_is_named_with_its_place() -> None:
    content = (_HERE / "bad_rules.yaml").read_bytes()
    _, issues = read_rule_file(content, "bad_rules.yaml", _DOMAINS, now_us=_NOW_US)
    shown = "".join(f"{issue.render()}\n" for issue in in_reading_order(issues))
    assert shown == (_HERE / "bad_rules.approved.txt").read_text("utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "format: 1",
        "format: 2\nrules: []",
        "format: 1\nrules: {}\n",
        "format: 1\nrules: []\nlists: 3\ndefaults: 4\n",
    ],
)
def test_a_file_that_is_none(text: str) -> None:
    read, issues = read_rule_file(text.encode(), "f.yaml", _DOMAINS, now_us=0)
    assert read == []
    assert issues


def test_without_a_policy_domains_are_not_doubted() -> None:
    text = "format: 1\nrules: [{id: a.b, description: x, domain: whatever, applies_to: message, match: {any: [LINE]}, tests: {should_match: [LINE]}}]"
    read, issues = read_rule_file(text.encode(), "f.yaml", None, now_us=0)
    assert issues == []
    assert (read[0].rule.severity, read[0].rule.mode) == ("medium", "shadow")


def test_list_files() -> None:
    words, issues = read_list_file("\ufeff# ours\nLINE\n\n ライン \nLINE\n".encode(), "lists/apps.txt")
    assert (words, issues) == (("LINE", "ライン"), [])
    for content, path, code in (
        ("ライン".encode("cp932"), "lists/a.txt", "yaml.not-utf8"),
        (b"# nothing\n", "lists/a.txt", "list.empty"),
        (b"x" * 201, "lists/a.txt", "list.long-entry"),
        (b"x", "lists/My List.txt", "list.name"),
        ("\n".join(map(str, range(20_001))).encode(), "lists/a.txt", "list.too-many"),
        (b"\x00", "lists/a.txt", "yaml.forbidden-character"),
    ):
        assert [issue.code for issue in read_list_file(content, path)[1]] == [code]


def test_a_list_of_the_file_must_not_hide_a_shared_one() -> None:
    text = "format: 1\nlists: {apps: [LINE]}\nrules: [{id: a.b, description: x, domain: d, applies_to: message, match: {list: apps}, tests: {should_match: [LINE]}}]"
    _, issues = read_rule_file(text.encode(), "f.yaml", None, now_us=0, shared_lists={"apps": ("x",)})
    assert [(issue.code, issue.line) for issue in issues] == [("rule.repeated-list", 2)]
    read, issues = read_rule_file(
        text.replace("lists: {apps: [LINE]}\n", "").encode(),
        "f.yaml",
        None,
        now_us=0,
        shared_lists={"apps": ("LINE",)},
    )
    assert issues == []
    assert read[0].rule.match.any == ("LINE",)
