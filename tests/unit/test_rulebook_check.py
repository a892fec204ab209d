"""Rules and policy checked together, in this process and in a child with limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.diagnostics import errors
from streams.rule_engine import RuleSet
from streams.rulebook.check import MAX_ISSUES_PER_FILE, Bundle, check
from streams.rulebook.child import check_in_child
from streams.rulebook.files import SourceFile, take_snapshot

DOMAINS = b"""\
format: 1
domains:
  contact_exchange: {title: x, applies_to: message, severity: medium}
  counterfeit: {title: x, applies_to: listing, severity: high}
"""


def rule(rule_id: str = "contact.line", word: str = "LINE", *, mode: str = "active", sample: str = "") -> str:
    """One rule as text."""
    return (
        f"  - {{id: {rule_id}, description: x, domain: contact_exchange, mode: {mode}, "
        f"match: {{any: [{word}]}}, tests: {{should_match: [{sample or word}]}}}}\n"
    )


def file(*rules: str, name: str = "rules/a.yaml") -> SourceFile:
    """A rule file."""
    return SourceFile(name, ("format: 1\nrules:\n" + "".join(rules)).encode())


POLICY = SourceFile("rules/domains.yaml", DOMAINS)


def _issues(bundle: Bundle) -> list[str]:
    return [issue.render() for issue in bundle.issues]


def test_a_good_set() -> None:
    bundle = check(
        [POLICY, file(rule(), rule("contact.off", "Insta", mode="off", sample="nothing"))], now_us=0
    )
    assert _issues(bundle) == []
    assert bundle.usable
    assert bundle.samples_run == 1, "samples of rules that are off are not run"
    assert [found.id for found in bundle.rules] == ["contact.line", "contact.off"]
    assert sorted(bundle.policy.domains) == ["contact_exchange", "counterfeit"]


def test_ids_are_unique_over_files() -> None:
    bundle = check([POLICY, file(rule()), file(rule(), name="rules/b.yaml")], now_us=0)
    assert _issues(bundle) == [
        "rules/b.yaml:3:5: rule.repeated-id: rule contact.line: the id is already used at rules/a.yaml:3  "
        "(ids are unique over all files)"
    ]


def test_failing_samples() -> None:
    text = rule(sample="Instagram").replace("]}}", "], should_not_match: [my line]}}")
    bundle = check([POLICY, file(text)], now_us=0)
    assert [(issue.code, issue.line) for issue in bundle.issues] == [
        ("test.did-not-fire", 3),
        ("test.fired", 3),
    ]
    assert bundle.issues[1].render().splitlines() == [
        'rules/a.yaml:3:156: test.fired: rule contact.line: tests.should_not_match[0] fired: match.any: "line" is found'
        "  (make the rule stricter with boundary, none, except or near, or correct the sample)",
        "    my line",
        "       ^^^^",
    ]


@pytest.mark.parametrize(
    ("match", "when", "sample", "hint"),
    [
        ("{any: [LINE]}", "{writer: buyer}", "{text: LINE, writer: seller}", "when.writer: it is seller; the rule asks for buyer"),
        ("{any: [LINE]}", "{writer: buyer}", "hello", "correct the rule or the sample"),
        (
            "{regex: '090-[0-9]{4}-[0-9]{4}', view: digits}", "{}", "090ー1234ー5678",
            'correct the rule or the sample; in the digits view the text is "09012345678"',
        ),
        ("{regex: 'ID[0-9]+'}", "{}", "ＩＤ；５", 'correct the rule or the sample; in the safe view the text is "id;5"'),
    ],
)  # fmt: skip
def test_a_failed_test_comes_with_a_hint(match: str, when: str, sample: str, hint: str) -> None:
    text = rule().replace("{any: [LINE]}", f"{match}, when: {when}").replace("[LINE]}}", f"[{sample}]}}}}")
    (issue,) = errors(check([POLICY, file(text)], now_us=0).issues)
    assert (issue.code, issue.hint) == ("test.did-not-fire", hint)


@pytest.mark.parametrize(
    "match",
    [
        "{any: [LINE、インスタ]}", "{all: [LINE, {any: [LINE, 'a，b']}]}", "{count: {of: [LINE, 'a､b'], at_least: 1}}",
        "{near: {a: [LINE], b: [LINE、ID]}}", "{any: [LINE], none: [a、b]}",
    ],
)  # fmt: skip
def test_two_words_with_a_japanese_comma_between_them(match: str) -> None:
    issues = check([POLICY, file(rule().replace("{any: [LINE]}", match))], now_us=0).issues
    assert "rule.joined-words" in {issue.code for issue in issues}
    clean = match.replace("、", " ").replace("，", " ").replace("､", " ")
    issues = check([POLICY, file(rule().replace("{any: [LINE]}", clean))], now_us=0).issues
    assert "rule.joined-words" not in {issue.code for issue in issues}


def test_everything_at_once_over_files() -> None:
    files = [
        SourceFile("rules/domains.yaml", b"format: 1\ndomains: {x: 3}\n"),
        file(rule("BAD")),
        SourceFile("rules/old.yml", b""),
        SourceFile("rules/sjis.yaml", "a: ライン".encode("cp932")),
    ]
    codes = [issue.code for issue in check(files, now_us=0).issues]
    assert codes == ["rule.id", "policy.domain-name", "policy.wrong-type", "file.extension", "yaml.not-utf8"]


def test_a_policy_is_required() -> None:
    assert [issue.code for issue in check([file(rule())], now_us=0).issues] == ["policy.missing"]
    assert [issue.code for issue in check([], now_us=0).issues] == ["policy.missing"]


def test_warnings_do_not_forbid() -> None:
    bundle = check([POLICY, file(rule(word="死"))], now_us=0)
    assert bundle.usable
    assert [issue.severity for issue in bundle.issues] == ["warning"]


def test_of_a_file_full_of_errors_the_first_are_shown_and_the_others_counted() -> None:
    bundle = check(
        [
            POLICY,
            file(*(f"  - word{number}\n" for number in range(300))),
            file(rule("BAD"), name="rules/b.yaml"),
        ],
        now_us=0,
    )
    codes = [(issue.path, issue.code) for issue in bundle.issues]
    assert codes.count(("rules/a.yaml", "rule.wrong-type")) == MAX_ISSUES_PER_FILE
    assert ("rules/b.yaml", "rule.id") in codes
    (more,) = [issue for issue in bundle.issues if issue.code == "check.more"]
    assert (more.path, more.message, more.severity) == (
        "rules/a.yaml",
        "100 more errors in this file are not shown",
        "error",
    )


async def test_the_child_says_the_same() -> None:
    files = [POLICY, file(rule(), rule("contact.insta", "Insta", sample="no"))]
    here = check(files, now_us=5)
    there = await check_in_child(files, now_us=5)
    assert there == here
    assert RuleSet(there.rules).version == RuleSet(here.rules).version
    assert there.policy.version == here.policy.version


async def test_a_child_that_takes_too_long_is_ended() -> None:
    bundle = await check_in_child([POLICY, file(rule())], timeout_s=0.001)
    assert [issue.code for issue in bundle.issues] == ["check.timeout"]
    assert not bundle.usable


async def test_a_child_that_needs_too_much_memory_is_ended() -> None:
    words = ", ".join(f"{number:06d}ライン" for number in range(20_000))
    bundle = await check_in_child(
        [POLICY, file(rule(word=words, sample="000000ライン"))], memory_bytes=40 << 20
    )
    assert [issue.code for issue in errors(bundle.issues)] == ["check.died"]


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 1_000_000,
        b"a: &a [x]\nb: [*a, *a]\n",
        b"format: 1\nrules: !!python/object/apply:os.abort []\n",
        b"\x00" * 1000,
        b"x" * (1 << 20 | 1),
        b"{" * 500_000,
        b"- " * 400_000,
        b"? " * 300_000,
        b"a: " + b"'" * 900_001,
        "format: 1\nrules: ライン".encode("cp932"),
        "format: 1".encode("utf-16"),
        b"format: 1\nrules: [" + b"{}, " * 5_100 + b"{}]",
        b"format: 1\nrules: [" + b"a, " * 250_000 + b"]",
        "format: 1\n# \u202e\nrules: []".encode(),
        rb"format: 1"
        + b"\nrules:\n"
        + rule(word="x").replace("any: [x]", r"regex: '((a{1,100}){1,100}){1,100}'").encode(),
    ],
)
async def test_bombs_are_refused(content: bytes) -> None:
    bundle = await check_in_child(
        [POLICY, SourceFile("rules/bomb.yaml", content)], timeout_s=30, memory_bytes=1 << 30
    )
    assert {issue.path for issue in errors(bundle.issues)} == {"rules/bomb.yaml"}
    assert "check.timeout" not in {issue.code for issue in bundle.issues}


_HOSTILE = (
    r"(a+)+$", r"(\d+-?)+円", r"(.*)*口座", r"(?:\w+\s*)+:", r"(a|aa)+b", r"(?:口座|.{1,900}){2}x", r"(x+x+)+y",
    r"((口{1,30}){1,30})座", r"[^a]{500}[^b]{400}口座",
)  # fmt: skip


@pytest.mark.parametrize("pattern", _HOSTILE)
async def test_catastrophic_patterns_are_refused_or_run_in_linear_time(pattern: str) -> None:
    """The sample is what hangs a backtracking engine for minutes; the child has 30 s for everything."""
    hostile = "a" * 4000 + "x" * 4000 + "1-" * 900
    text = rule(word="x").replace("any: [x]", f"regex: '{pattern}'").replace("[x]", f"['{hostile}']")
    bundle = await check_in_child([POLICY, file(text)], timeout_s=30, memory_bytes=1 << 30)
    assert {issue.code for issue in errors(bundle.issues)} <= {"rule.regex", "test.did-not-fire"}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_bytes_changed_at_random_never_raise(data: st.DataObject) -> None:
    """Cuts, swaps, insertions in a shipped file: always a list of issues with places, or a set that works."""
    content = bytearray((Path(__file__).parents[2] / "rules" / "shortage_resale.yaml").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(("cut", "put", "swap", "line"))):
            case "cut":
                del content[at : at + data.draw(st.integers(1, 400))]
            case "put":
                content[at:at] = data.draw(
                    st.binary(max_size=8)
                    | st.sampled_from([b"\n", b"[", b"{", b"&a", b"*a", b"!!x ", b"\t", b": ", b"- ", b"'"])
                )
            case "swap":
                content[at] = data.draw(st.integers(0, 255))
            case _:
                lines = bytes(content).split(b"\n")
                lines.insert(data.draw(st.integers(0, len(lines))), data.draw(st.sampled_from(lines)))
                content[:] = b"\n".join(lines)
        if not content:
            break
    bundle = check([POLICY, SourceFile("rules/x.yaml", bytes(content))], now_us=0)
    for issue in bundle.issues:
        assert issue.line >= 1
        assert issue.column >= 1
    if bundle.usable:
        RuleSet(bundle.rules)


def test_the_shipped_rules_are_good() -> None:
    bundle = check(take_snapshot(Path(__file__).parents[2] / "rules").files, now_us=1_795_219_200 * 1_000_000)
    # numbers and what stands beside them hold no word; a handful of such patterns costs nothing
    assert [issue.render() for issue in bundle.issues if issue.code != "rule.slow-regex"] == []
    assert len(bundle.rules) >= 30
    assert bundle.samples_run >= 4 * len(bundle.rules)
    assert {found.domain for found in bundle.rules} == set(bundle.domains)
