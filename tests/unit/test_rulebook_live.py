"""The live rulebook on real directories: edits, half-written files, ConfigMap swaps, vanished directories."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from prometheus_client import generate_latest

from streams import metrics
from streams.cli.rules import command as rules_command
from streams.diagnostics import Issue
from streams.rule_engine import ScannedTurn
from streams.rulebook import LiveRulebook, Rulebook, RulebookRefused, status
from tests.unit.test_rulebook_check import DOMAINS, rule

_LONG_S = 600.0


def _write(directory: Path, *rules: str, name: str = "a.yaml") -> None:
    (directory / name).write_text("format: 1\nrules:\n" + "".join(rules), "utf-8")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with a policy and one rule."""
    path = tmp_path / "rules"
    path.mkdir()
    (path / "domains.yaml").write_bytes(DOMAINS)
    _write(path, rule())
    return path


@asynccontextmanager
async def _running(live: LiveRulebook) -> AsyncIterator[LiveRulebook]:
    await live.start()
    try:
        yield live
    finally:
        await live.stop()


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - what is waited for sends no event
            await asyncio.sleep(0.02)


def _fires(live: LiveRulebook, text: str) -> list[str]:
    rules = live.current.rules
    hits = rules.evaluate_message([ScannedTurn("m", "buyer", rules.scan(text))], {}, at_us=0)
    return [hit.rule_id for hit in hits]


def _ids(live: LiveRulebook) -> list[str]:
    return [found.id for found in live.current.rules.rules]


async def test_first_load(directory: Path) -> None:
    live = LiveRulebook(directory, poll_s=_LONG_S, clock=lambda: 1_795_219_200.0)
    with pytest.raises(RuntimeError, match="start"):
        _ = live.current
    async with _running(live):
        assert status(live)["never_fired"] == ["contact.line"]
        assert status(live)["by_rule"]["contact.line"]["last_hit"] is None
        assert _fires(live, "ＬＩＮＥで") == ["contact.line"]
        assert live.refused == ()
        by_rule = {
            "contact.line": {
                "mode": "active",
                "candidates": 1,
                "hits": 1,
                "alerts": 1,
                "last_hit": "1970-01-01T00:00:00+00:00",
                "spent_ms": status(live)["by_rule"]["contact.line"]["spent_ms"],
            }
        }
        assert status(live) == {
            "valve": {"max_share": 0.1, "over_events": 5000, "shadowed": []},
            "by_rule": by_rule,
            "never_fired": [],
            "ruleset": live.current.rules.version,
            "policy": live.current.policy.version,
            "loaded_at": "2026-11-21T00:00:00+00:00",
            "rules": {"active": 1, "shadow": 0, "off": 0},
            "domains": ["contact_exchange", "counterfeit"],
            "refused": [],
        }
        assert metrics.RULES_LOADED.labels("active")._value.get() == 1
        assert metrics.RULES_LOADED_AT._value.get() == 1_795_219_200.0


async def test_a_first_load_that_fails_says_why(directory: Path) -> None:
    _write(directory, rule("BAD"))
    with pytest.raises(RulebookRefused, match=r"a\.yaml:3:10: rule\.id") as refused:
        await LiveRulebook(directory, poll_s=_LONG_S).start()
    assert [issue.code for issue in refused.value.issues] == ["rule.id"]
    with pytest.raises(RulebookRefused, match=r"files\.unreadable"):
        await LiveRulebook(directory / "nowhere", poll_s=_LONG_S).start()


async def test_a_bad_edit_leaves_the_old_set_and_a_good_one_replaces_it(directory: Path) -> None:
    live = LiveRulebook(directory, poll_s=_LONG_S)
    async with _running(live):
        before = live.current
        refused_before = metrics.RULES_RELOADS.labels("refused")._value.get()
        _write(directory, rule(sample="never"))
        assert await live.reload() is False
        assert live.current is before
        assert [issue.code for issue in live.refused] == ["test.did-not-fire"]
        assert status(live)["refused"][0]["line"] == 3
        assert await live.reload() is False
        assert metrics.RULES_RELOADS.labels("refused")._value.get() == refused_before + 1, (
            "the same refusal counts once"
        )
        _write(directory, rule("contact.insta", "Insta"), rule())
        assert await live.reload() is True
        assert live.refused == ()
        assert _fires(live, "insta") == ["contact.insta"]


async def test_going_back_to_the_live_content_clears_the_refusal(directory: Path) -> None:
    live = LiveRulebook(directory, poll_s=0.05, settle_s=0.01)
    async with _running(live):
        before = live.current
        _write(directory, rule("BAD"))
        await _until(lambda: bool(live.refused))
        _write(directory, rule())
        await _until(lambda: not live.refused)
        assert live.current is before


@pytest.mark.parametrize("poll_s", [_LONG_S, 0.1])
async def test_edits_go_live_by_notification_and_by_polling(directory: Path, poll_s: float) -> None:
    """With a long poll only the notification can be quick enough; NFS has none and lives by the poll."""
    live = LiveRulebook(directory, poll_s=poll_s, settle_s=0.05)
    async with _running(live):
        await asyncio.sleep(0.3)  # until the watch is set: a change before it waits for the poll
        _write(directory, rule(), rule("contact.insta", "Insta"), name="a.yaml")
        await _until(lambda: _ids(live) == ["contact.insta", "contact.line"])
        # an editor's way: a new file moved over the old one, a backup left behind
        _write(directory, rule(), rule("contact.viber", "Viber"), name=".a.yaml.swp")
        (directory / "a.yaml").rename(directory / "a.yaml~")
        (directory / ".a.yaml.swp").rename(directory / "a.yaml")
        await _until(lambda: _ids(live) == ["contact.line", "contact.viber"])
        _write(directory, rule("contact.new", "Skype", mode="shadow"), name="b.yaml")
        await _until(lambda: "contact.new" in _ids(live))
        (directory / "b.yaml").unlink()
        await _until(lambda: _ids(live) == ["contact.line", "contact.viber"])


async def test_a_slow_write_is_not_read_half(directory: Path) -> None:
    """Each prefix of this file up to the last rule is valid by itself."""
    seen: list[int] = []

    async def accept(book: Rulebook) -> list[Issue]:
        seen.append(len(book.rules.rules))
        return []

    live = LiveRulebook(directory, poll_s=0.05, settle_s=0.4, accept=accept)
    async with _running(live):
        with (directory / "b.yaml").open("w") as file:
            file.write("format: 1\nrules:\n")
            for number in range(5):
                file.write(rule(f"contact.r{number}", f"word{number}"))
                file.flush()
                await asyncio.sleep(0.15)
        await _until(lambda: len(_ids(live)) == 6)
        assert seen == [1, 6], "the sets that were tried"


async def test_a_worker_that_starts_while_files_are_copied_waits_for_them(directory: Path) -> None:
    live = LiveRulebook(directory, poll_s=_LONG_S, settle_s=0.3)

    async def copy() -> None:
        for number in range(4):
            await asyncio.sleep(0.1)
            _write(directory, rule(f"contact.r{number}", f"word{number}"), name=f"b{number}.yaml")

    copying = asyncio.create_task(copy())
    async with _running(live):
        await copying
        assert len(_ids(live)) == 5


async def test_one_bad_file_among_good_ones_holds_all_back(directory: Path) -> None:
    live = LiveRulebook(directory, poll_s=0.05, settle_s=0.01)
    async with _running(live):
        _write(directory, rule("contact.insta", "Insta"), name="b.yaml")
        await _until(lambda: len(_ids(live)) == 2)
        _write(directory, rule("contact.viber", "Viber"), name="c.yaml")
        _write(directory, rule("contact.kakao", "Kakao").replace("active", "actve"), name="d.yaml")
        await _until(lambda: [issue.code for issue in live.refused] == ["rule.wrong-value"])
        assert Path(live.refused[0].path).name == "d.yaml"
        _write(directory, rule("contact.kakao", "Kakao"), name="d.yaml")
        await _until(lambda: len(_ids(live)) == 4)


async def test_random_cuts_of_a_file_never_lose_rules(directory: Path) -> None:
    """A file that is copied over the network may be seen at any length: what is live is the old or the whole new set."""
    rules = [rule(f"contact.r{number}", f"word{number}") for number in range(8)]
    _write(directory, *rules)
    whole = (directory / "a.yaml").read_bytes()
    live = LiveRulebook(directory, poll_s=_LONG_S)
    random = Random(7)
    async with _running(live):
        for cut in sorted(random.sample(range(len(whole)), 12)):
            (directory / "a.yaml").write_bytes(whole[:cut])
            await live.reload()
            assert len(_ids(live)) >= 7, f"cut at {cut}: more than a fifth of the rules were dropped"
        (directory / "a.yaml").write_bytes(whole)
        assert await live.reload()
        assert len(_ids(live)) == 8


@pytest.mark.skipif(shutil.which("vim") is None, reason="vim is not installed")
async def test_vim(directory: Path) -> None:
    live = LiveRulebook(directory, poll_s=_LONG_S, settle_s=0.05)
    async with _running(live):
        await asyncio.sleep(0.3)
        editor = await asyncio.create_subprocess_exec(
            "vim", "-es", "-u", "NONE", "-c", "set backup writebackup", "-c", "%s/contact.line/contact.vim/", "-c", "wq",
            str(directory / "a.yaml"), stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        await editor.wait()
        await _until(lambda: _ids(live) == ["contact.vim"])


async def test_word_lists_in_files_are_part_of_the_set(directory: Path) -> None:
    lists = directory / "lists"
    live = LiveRulebook(directory, poll_s=_LONG_S, settle_s=0.05)
    async with _running(live):
        await asyncio.sleep(0.3)
        lists.mkdir()
        (lists / "apps.txt").write_text("Insta\n", "utf-8")
        _write(directory, rule().replace("{any: [LINE]}", "{list: apps}").replace("[LINE]", "[Insta]"))
        await _until(lambda: _fires(live, "insta") == ["contact.line"])
        await asyncio.sleep(0.5)  # until the watch of the new directory is set
        with (lists / "apps.txt").open("a") as file:
            file.write("Viber\n")
        await _until(lambda: _fires(live, "viber") == ["contact.line"])


class TestValve:
    async def test_a_rule_that_fires_on_everything_is_shadowed_and_said_so(
        self, directory: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (directory / "domains.yaml").write_bytes(
            DOMAINS + b"safety_valve: {max_share: 0.5, over_events: 100}\n"
        )
        _write(directory, rule(), rule("contact.insta", "Insta"))
        live = LiveRulebook(directory, poll_s=_LONG_S)
        async with _running(live):
            rules = live.current.rules

            def modes(text: str, times: int = 1) -> list[str]:
                turn = ScannedTurn("m", "buyer", rules.scan(text))
                for _ in range(times - 1):
                    rules.evaluate_message([turn], {}, at_us=0)
                return [hit.mode for hit in rules.evaluate_message([turn], {}, at_us=0)]

            assert modes("ok", 40) == []
            assert modes("LINE", 40) == ["active"], "40 of 80 are not more than half"
            assert modes("LINE", 10) == ["shadow"]
            assert modes("Insta") == ["active"], "another rule is left alone"
            (shadowed,) = status(live)["valve"]["shadowed"]
            assert (shadowed["rule_id"], shadowed["rule_version"]) == (
                "contact.line",
                rules.rule("contact.line").version,
            )
            await _until(lambda: "is set to SHADOW" in caplog.text)
            shown = generate_latest().decode()
            labels = 'domain="contact_exchange",mode="active",rule_id="contact.line"'
            assert f"sekisho_rule_shadowed_by_valve{{{labels}}} 1.0" in shown
            assert f"sekisho_rule_fired_total{{{labels}}} 50.0" in shown
            assert f"sekisho_rule_alerts_total{{{labels}}} 40.0" in shown

            _write(directory, rule(), rule("contact.viber", "Viber"))
            await live.reload()
            assert "contact.line" in live.watch.tripped, "another rule's edit changes nothing"
            _write(directory, rule(word="LINEの", sample="LINEの"), rule("contact.viber", "Viber"))
            await live.reload()
            assert live.watch.tripped == {}, "its own edit sets it free"
        assert "sekisho_rule_fired_total{" not in generate_latest().decode(), (
            "a stopped rulebook leaves no metrics"
        )

    async def test_reload_failures_are_counted(self, directory: Path) -> None:
        async with _running(LiveRulebook(directory, poll_s=_LONG_S)) as live:
            assert "sekisho_rules_reload_failures_total 0.0" in generate_latest().decode()
            _write(directory, rule("BAD"))
            await live.reload()
            shown = generate_latest().decode()
            assert "sekisho_rules_reload_failures_total 1.0" in shown
            assert "sekisho_rules_refused_errors 1.0" in shown
            _write(directory, rule())
            await live.reload()
            shown = generate_latest().decode()
            assert "sekisho_rules_reload_failures_total 1.0" in shown
            assert "sekisho_rules_refused_errors 0.0" in shown, "the files are what is live again"


@pytest.mark.parametrize("poll_s", [_LONG_S, 0.1])
async def test_configmap_swap(tmp_path: Path, poll_s: float) -> None:
    """Kubernetes: files are links to ..data/file, ..data is a link that is replaced by rename."""
    mount = tmp_path / "mount"
    mount.mkdir()

    def revision(name: str, *rules: str) -> None:
        (mount / name).mkdir()
        (mount / name / "domains.yaml").write_bytes(DOMAINS)
        _write(mount / name, *rules)
        (mount / "..data_tmp").symlink_to(name)
        (mount / "..data_tmp").rename(mount / "..data")

    revision("..2026_1", rule())
    for name in ("domains.yaml", "a.yaml"):
        (mount / name).symlink_to(f"..data/{name}")
    live = LiveRulebook(mount, poll_s=poll_s, settle_s=0.05)
    async with _running(live):
        assert _ids(live) == ["contact.line"]
        await asyncio.sleep(0.3)  # until the watch is set
        revision("..2026_2", rule("contact.insta", "Insta"))
        await _until(lambda: _ids(live) == ["contact.insta"])
        shutil.rmtree(mount / "..2026_1")
        revision("..2026_3", rule("contact.viber", "Viber"))
        await _until(lambda: _ids(live) == ["contact.viber"])


async def test_a_vanished_directory_leaves_the_old_set(directory: Path) -> None:
    live = LiveRulebook(directory, poll_s=0.05, settle_s=0.01)
    async with _running(live):
        directory.rename(directory.with_name("away"))  # noqa: ASYNC240 - takes no time
        await _until(lambda: bool(live.refused))
        assert [issue.code for issue in live.refused] == ["files.unreadable"]
        assert _fires(live, "LINE") == ["contact.line"]
        _write(directory.with_name("away"), rule("contact.insta", "Insta"))
        directory.with_name("away").rename(directory)
        await _until(lambda: _ids(live) == ["contact.insta"])
        assert live.refused == ()


class TestShrinking:
    async def test_a_vanished_file_must_be_confirmed(self, directory: Path) -> None:
        _write(directory, rule("contact.insta", "Insta"), name="b.yaml")
        live = LiveRulebook(directory, poll_s=0.05, settle_s=0.01)
        async with _running(live):
            (directory / "b.yaml").unlink()
            await _until(lambda: bool(live.refused))
            assert (
                "1 of 2 active rules are gone because the file vanished, e.g. contact.insta"
                in live.refused[0].message
            )
            assert len(_ids(live)) == 2
            digest = live.refused[0].hint.split(" writes ")[1].split(" ")[0]
            (directory / "ACCEPTED").write_text(digest + "\n")
            await _until(lambda: _ids(live) == ["contact.line"])

    async def test_a_cut_file_must_be_confirmed(self, directory: Path) -> None:
        rules = [rule(f"contact.r{number}", f"word{number}") for number in range(5)]
        _write(directory, *rules)
        live = LiveRulebook(directory, poll_s=_LONG_S)
        async with _running(live):
            _write(directory, *rules[:4])
            assert await live.reload() is True, "a fifth is not more than a fifth"
            _write(directory, *rules[:2])
            assert await live.reload() is False
            assert "was cut off" in live.refused[0].message

    @pytest.mark.parametrize("change", ["delete", "off", "shadow"])
    async def test_many_rules_deleted_or_switched_off_must_be_confirmed(
        self, directory: Path, change: str
    ) -> None:
        rules = [rule(f"contact.r{number}", f"word{number}") for number in range(10)]
        _write(directory, *rules)
        live = LiveRulebook(directory, poll_s=_LONG_S)
        async with _running(live):
            for kept in (8, 7):
                rest = [] if change == "delete" else [text.replace("active", change) for text in rules[kept:]]
                _write(directory, *rules[:kept], *rest, rule("contact.new", "new"))
                assert await live.reload() is (kept == 8), "a fifth is not more than a fifth"
                if kept == 8:
                    _write(directory, *rules)
                    assert await live.reload() is True
            assert "3 of 10 active rules are gone, e.g. contact.r7" in live.refused[0].message
            result = await asyncio.to_thread(CliRunner().invoke, rules_command, ["accept", str(directory)])
            assert result.exit_code == 0
            assert await live.reload() is True

    async def test_in_a_handful_of_rules_edits_need_no_confirmation(self, directory: Path) -> None:
        rules = [rule(f"contact.r{number}", f"word{number}") for number in range(4)]
        _write(directory, *rules)
        live = LiveRulebook(directory, poll_s=_LONG_S)
        async with _running(live):
            _write(directory, *rules[2:])
            assert await live.reload() is True
            _write(directory, *(text.replace("active", "off") for text in rules[2:]))
            assert await live.reload() is True


class TestAccept:
    async def test_a_policy_whose_models_are_not_served_waits(self, directory: Path) -> None:
        served = asyncio.Event()
        served.set()
        asked = 0

        async def accept(_: Rulebook) -> list[Issue]:
            nonlocal asked
            asked += 1
            return (
                []
                if served.is_set()
                else [Issue("policy.not-served", "version 2 is not served", "domains.yaml", 1, 1)]
            )

        live = LiveRulebook(directory, poll_s=0.05, settle_s=0.01, accept=accept)
        async with _running(live):
            served.clear()
            _write(directory, rule("contact.insta", "Insta"))
            await _until(lambda: asked >= 4)
            assert [issue.code for issue in live.refused] == ["policy.not-served"]
            assert _ids(live) == ["contact.line"]
            served.set()
            await _until(lambda: _ids(live) == ["contact.insta"])

    async def test_warnings_do_not_refuse(self, directory: Path) -> None:
        async def accept(_: Rulebook) -> list[Issue]:
            return [Issue("x", "y", "z", 1, 1, severity="warning")]

        async with _running(LiveRulebook(directory, poll_s=_LONG_S, accept=accept)) as live:
            assert live.refused == ()


async def test_a_look_that_fails_in_an_unknown_way_is_not_the_last(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = True

    async def accept(_: Rulebook) -> list[Issue]:
        if broken and live.watch.tallies:
            raise ValueError("the asking itself failed")
        return []

    live = LiveRulebook(directory, poll_s=0.05, settle_s=0.01, accept=accept)
    async with _running(live):
        _write(directory, rule("contact.insta", "Insta"))
        await _until(lambda: "looking at the rule files failed" in caplog.text)
        assert _ids(live) == ["contact.line"]
        broken = False
        await _until(lambda: _ids(live) == ["contact.insta"])


async def test_a_directory_that_holds_far_too_much_is_refused(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveRulebook(directory, poll_s=_LONG_S)
    async with _running(live):
        monkeypatch.setattr("streams.rulebook.files.MAX_TOTAL_BYTES", 1000)
        _write(directory, *(rule(f"contact.r{number}", f"word{number}") for number in range(20)))
        assert await live.reload() is False
        assert [issue.code for issue in live.refused] == ["files.unreadable"]
        assert "the limit is 1000" in live.refused[0].message
        assert _ids(live) == ["contact.line"]
