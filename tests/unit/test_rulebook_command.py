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
            "test.did-not-fire: rule contact.line: tests.should_match[0] did not fire: match.any: no word of it is there\n"
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
            "contact.messenger_exchange  contact_exchange  medium 70  does not fire: when: status\n"
            in result.output
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
                "decided_by": {"clause": "match.any", "matched": True, "reason": '"n級品" is found'},
                "spans": [{"field": "description", "start": 0, "end": 3, "text": "N級品"}],
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

    def test_one_event_is_needed(self) -> None:
        assert _run("explain").exit_code == 2
        assert _run("explain", "--message", "x", "--event", __file__).exit_code == 2

    def test_rules_with_errors(self, directory: Path) -> None:
        (directory / "a.yaml").write_text("format: 2\nrules: []", "utf-8")
        result = _run("explain", "--message", "x", "--rules", str(directory))
        assert result.exit_code == 1
        assert "rule.range" in result.output
