"""`sekisho rules`, called as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from streams.cli.rules import command
from tests.unit.test_rulebook_check import DOMAINS, rule

_SHIPPED = str(Path(__file__).parents[2] / "rules")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with a policy and one rule."""
    (tmp_path / "domains.yaml").write_bytes(DOMAINS)
    (tmp_path / "a.yaml").write_text("format: 1\nrules:\n" + rule(), "utf-8")
    return tmp_path


class TestCheck:
    def test_good(self, directory: Path) -> None:
        result = _run("check", str(directory))
        assert (result.exit_code, result.output) == (0, "1 rules in 2 files, 1 tests: 0 errors, 0 warnings\n")

    def test_errors(self, directory: Path) -> None:
        path = directory / "a.yaml"
        path.write_text("format: 1\nrules:\n" + rule().replace("domain:", "domian:"), "utf-8")
        result = _run("check", str(path))  # the domains.yaml beside it counts
        assert result.exit_code == 2
        assert result.output == (
            f'{path}:3:5: rule.missing-key: rule contact.line: "domain" is missing  (give it here or under defaults)\n'
            f'{path}:3:40: rule.unknown-key: rule contact.line: unknown key "domian"  (did you mean "domain"?)\n'
            "0 rules in 2 files, 0 tests: 2 errors, 0 warnings\n"
        )

    def test_json(self, directory: Path) -> None:
        good = json.loads(_run("check", str(directory), "--json").stdout)
        assert (good["ok"], good["rules"], good["tests"], good["issues"]) == (
            True,
            {"active": 1, "shadow": 0, "off": 0},
            1,
            [],
        )
        (directory / "a.yaml").write_text("a: 1\na: 2\n", "utf-8")
        result = _run("check", str(directory), "--json")
        bad = json.loads(result.stdout)
        assert result.exit_code == 2
        assert (bad["ok"], bad["errors"], bad["warnings"]) == (False, 1, 0)
        assert bad["issues"][0]["code"] == "yaml.duplicate-key"
        assert (bad["issues"][0]["line"], bad["issues"][0]["column"]) == (2, 1)

    def test_junit(self, directory: Path, tmp_path: Path) -> None:
        (directory / "b.yaml").write_text(
            "format: 1\nrules:\n"
            + rule("contact.good", "Insta")
            + rule("contact.bad", "Viber", sample="<no>")
        )
        result = _run("check", str(directory), "--junit", str(tmp_path / "out.xml"))
        assert result.exit_code == 2
        suites = ElementTree.parse(tmp_path / "out.xml").getroot()
        found = {case.get("name"): case.find("failure") for case in suites.iter("testcase")}
        assert set(found) == {"file", "contact.line", "contact.good", "contact.bad"}
        assert [name for name, failure in found.items() if failure is not None] == ["contact.bad"]
        failure = found["contact.bad"]
        assert failure is not None
        assert "test.did-not-fire" in str(failure.get("message"))
        assert "    <no>" in str(failure.text)

    @pytest.mark.parametrize(
        "sample",
        [
            "line one\n" + "ok\n" * 98 + "on LINE",
            "".join(f'{{"message_id": "m{n}", "text": "{"LINE" if n < 2 else "ok"}"}}\n' for n in range(100)),
            '{"transaction_id": "t", "messages": [{"text": "LINE"}, {"text": "LINE \\ud800"}]}\n{"listing": {"title": "LINE"}}\n',
        ],
    )
    def test_a_rule_that_fires_on_ordinary_texts(self, directory: Path, sample: str) -> None:
        (directory / "sample.jsonl").write_text(sample, "utf-8")
        result = _run("check", str(directory), "--sample", str(directory / "sample.jsonl"))
        assert result.exit_code == 0, "a warning is no error"
        assert "warning: rule.eager: rule contact.line: fires on 2 of " in result.output

    def test_few_hits_on_ordinary_texts_are_allowed(self, directory: Path) -> None:
        (directory / "sample.txt").write_text("LINE\n" * 2 + "ok\n" * 398, "utf-8")
        assert (
            "rule.eager"
            not in _run("check", str(directory), "--sample", str(directory / "sample.txt")).output
        )

    def test_the_directory_of_the_settings(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SEKISHO_RULES_DIR", str(directory))
        assert _run("check").exit_code == 0

    def test_nothing_to_check(self, tmp_path: Path) -> None:
        result = _run("check", str(tmp_path))
        assert result.exit_code == 1
        assert "no rule files here" in result.output


class TestTest:
    def test_passed_and_off(self, directory: Path) -> None:
        text = "format: 1\nrules:\n" + rule() + rule("contact.off", "Insta", mode="off")
        (directory / "a.yaml").write_text(text, "utf-8")
        result = _run("test", str(directory))
        assert result.exit_code == 0
        assert [line.split() for line in result.output.splitlines()] == [
            ["contact.line", "active", "passed"],
            ["contact.off", "off", "off"],
            ["1", "tests,", "0", "failed"],
        ]

    def test_failed(self, directory: Path) -> None:
        (directory / "a.yaml").write_text("format: 1\nrules:\n" + rule(sample="Insta"), "utf-8")
        result = _run("test", str(directory))
        assert result.exit_code == 1
        assert (
            "test.did-not-fire: rule contact.line: tests.should_match[0] did not fire: match.any: no word of it is there"
            "  (correct the rule or the sample)\n"
            "    Insta\n" in result.output
        )
        assert result.output.endswith("1 tests, 1 failed\n")

    def test_files_with_errors(self, directory: Path) -> None:
        (directory / "a.yaml").write_text("format: 2\nrules: []", "utf-8")
        result = _run("test", str(directory))
        assert result.exit_code == 2
        assert "the tests were not run" in result.output


class TestAccept:
    def test_writes_the_hash_that_check_shows(self, directory: Path) -> None:
        digest = json.loads(_run("check", str(directory), "--json").stdout)["digest"]
        result = _run("accept", str(directory))
        assert result.exit_code == 0
        assert (directory / "ACCEPTED").read_text() == f"{digest}\n"

    def test_not_with_errors(self, directory: Path) -> None:
        (directory / "a.yaml").write_text("format: 2\nrules: []", "utf-8")
        assert _run("accept", str(directory)).exit_code == 1
        assert not (directory / "ACCEPTED").exists()


class TestExplain:
    def test_a_message(self) -> None:
        result = _run(
            "explain",
            "--message",
            "ＬＩＮＥ交換しませんか",
            "--status",
            "waiting_for_payment",
            "--rules",
            _SHIPPED,
        )
        assert result.exit_code == 0
        assert result.output == (
            "contact.messenger_exchange  contact_exchange  medium 70  fires\n"
            "    ＬＩＮＥ交換しませんか\n"
            "    ^^^^^^^^^^^^\n"
            "contact.spelled_around  contact_exchange  medium 60  fires (shadow)\n"
            "    ＬＩＮＥ交換しませんか\n"
            "    ^^^^^^^^^^^^\n"
            "contact.in_two_messages  contact_exchange  medium 60  does not fire: "
            "match.all[1].regex: the pattern is not there\n"
            "    ＬＩＮＥ交換しませんか\n"
            "    ^^^^^^^^\n"
        )

    def test_what_kept_a_rule_from_firing(self) -> None:
        result = _run(
            "explain", "--message", "よかったらﾗｲﾝで連絡", "--status", "completed", "--rules", _SHIPPED
        )
        assert (
            "contact.messenger_exchange  contact_exchange  medium 70  does not fire: when.status: it is completed; the "
            "rule asks for waiting_for_payment or waiting_for_shipping\n" in result.output
        )

    def test_nothing(self) -> None:
        assert (
            _run("explain", "--message", "はじめまして", "--rules", _SHIPPED).output
            == "no rule finds its words here\n"
        )

    def test_a_listing_as_json(self, tmp_path: Path) -> None:
        path = tmp_path / "event.json"
        listing = {
            "listing_id": "l",
            "seller_id": "s",
            "title": "財布",
            "description": "N級品です",
            "price": 5000,
        }
        path.write_text(json.dumps(listing), "utf-8")
        result = _run("explain", "--event", str(path), "--rules", _SHIPPED, "--json")
        assert [one for one in json.loads(result.stdout) if one["fires"]] == [
            {
                "rule_id": "counterfeit.sellers_words",
                "rule_version": json.loads(result.stdout)[0]["rule_version"],
                "domain": "counterfeit",
                "severity": "critical",
                "score": 90,
                "mode": "active",
                "fires": True,
                "unmet": [],
                "kept_by": [],
                "decided_by": {"clause": "match.any", "matched": True, "reason": '"n級品" is found'},
                "spans": [
                    {"message_id": None, "field": "description", "start": 0, "end": 3, "text": "N級品"}
                ],
            }
        ]

    def test_a_message_record(self, tmp_path: Path) -> None:
        path = tmp_path / "event.json"
        record = {
            "message_id": "m",
            "transaction_id": "t",
            "writer": "seller",
            "text": "死ね",
            "status": "shipped",
        }
        path.write_text(json.dumps(record), "utf-8")
        result = _run("explain", "--event", str(path), "--rules", _SHIPPED)
        assert result.output.startswith("harassment.insult  harassment  high 80  fires\n")

    @pytest.mark.parametrize("form", ["earlier", "lines", "list", "conversation", "options"])
    def test_a_message_with_the_conversation_before_it(self, tmp_path: Path, form: str) -> None:
        asks = {"writer": "seller", "text": "インスタやってますか？"}
        other = {"writer": "buyer", "text": "どうでしょう"}
        tells = {"writer": "seller", "text": "アカウントは hanako.88 です"}
        known = {"transaction_id": "t", "status": "waiting_for_payment"}
        event = {"message_id": "m9", "sent_at": "2026-11-20T10:00:00Z", **known, **tells}
        records = [{"message_id": f"m{n}", **known, **one} for n, one in enumerate((asks, other, tells))]
        content = {
            "earlier": json.dumps({**event, "earlier": [asks, other]}, indent=2),
            "lines": "\n".join(map(json.dumps, records)) + "\n",
            "list": json.dumps([{**records[0], "transaction_id": "another", "text": "hi"}, *records]),
            "conversation": json.dumps({**known, "messages": [asks, other, tells]}),
            "options": "",
        }[form]
        (tmp_path / "event.json").write_text(content, "utf-8")
        if form == "options":
            said = [word for one in (asks, tells) for word in ("--message", str(one["text"]))]
            result = _run("explain", *said, "--status", "waiting_for_payment", "--rules", _SHIPPED)
        else:
            result = _run("explain", "--event", str(tmp_path / "event.json"), "--rules", _SHIPPED)
        assert result.exit_code == 0, result.output
        assert result.output.startswith(
            "contact.in_two_messages  contact_exchange  medium 60  fires (shadow)\n"
            f"  {'1' if form == 'options' else '2'} before, seller:\n"
            "    インスタやってますか？\n"
            "    ^^^^^^^^\n"
            "    アカウントは hanako.88 です\n"
            "    ^^^^^^^^^^^^^^^^^^^^^^\n"
        )

    def test_each_condition_that_is_not_met_is_named_with_what_the_event_has(self, tmp_path: Path) -> None:
        (tmp_path / "domains.yaml").write_bytes(DOMAINS)
        (tmp_path / "a.yaml").write_text(
            """\
format: 1
rules:
  - id: fake.bag
    description: x
    domain: counterfeit
    match: {any: [bag]}
    when: {price: {gte: 1000, lt: 5000}, brand: [A, B], category: {not_in: [toys]}, attributes.new: true}
    except: {writers: [s]}
    valid_from: 2027-01-01T00:00:00+09:00
    tests: {should_match: [{title: bag, at: 2027-02-01T00:00:00Z}]}
  - id: fake.old
    description: x
    domain: counterfeit
    match: {any: [bag]}
    valid_until: 2026-01-01T00:00:00Z
    tests: {should_match: [{title: bag, at: 2025-02-01T00:00:00Z}]}
""",
            "utf-8",
        )
        listing = {"listing_id": "l", "seller_id": "s", "title": "bag", "description": "", "price": 12000}
        listing |= {"category": "toys", "attributes": {"new": False}, "listed_at": "2026-11-20T00:00:00Z"}
        (tmp_path / "event.json").write_text(json.dumps(listing), "utf-8")
        result = _run("explain", "--event", str(tmp_path / "event.json"), "--rules", str(tmp_path))
        assert result.output.splitlines()[0].split("does not fire: ")[1].split("; ") == [
            *("when.price: it is 12,000", "the rule asks for at least 1,000 and under 5,000"),
            *("when.brand: the event does not say", "the rule asks for A or B"),
            *("when.category: it is toys", "the rule asks for not toys"),
            *("when.attributes.new: it is false", "the rule asks for true"),
            "valid_from: begins 2026-12-31T15:00:00+00:00",
            "except: who wrote it is excepted",
        ]
        assert (
            "fake.old  counterfeit  high 50  does not fire: valid_until: ended 2026-01-01T00:00:00+00:00"
            in result.output
        )

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            ("", "the file is empty"),
            ('{"message_id": "m"\n', "neither the file nor its line 1 is JSON"),
            pytest.param("[" * 5_000, "neither the file nor its line 1 is JSON", id="nested too deeply"),
            (
                '{"message_id": "m", "transaction_id": "t", "text": "x"}',
                "record 1 is no message and no listing: missing_field",
            ),
            ('{"message_id": "m", "earlier": ["x"]}', '"earlier" must be a list of messages'),
        ],
    )
    def test_a_file_without_an_event(self, tmp_path: Path, content: str, told: str) -> None:
        (tmp_path / "event.json").write_text(content, "utf-8")
        result = _run("explain", "--event", str(tmp_path / "event.json"), "--rules", _SHIPPED)
        assert result.exit_code == 1
        assert told in result.output

    def test_one_event_is_needed(self) -> None:
        assert _run("explain").exit_code == 2
        assert _run("explain", "--message", "x", "--event", __file__).exit_code == 2

    def test_rules_with_errors(self, directory: Path) -> None:
        (directory / "a.yaml").write_text("format: 2\nrules: []", "utf-8")
        result = _run("explain", "--message", "x", "--rules", str(directory))
        assert result.exit_code == 1
        assert "rule.range" in result.output
