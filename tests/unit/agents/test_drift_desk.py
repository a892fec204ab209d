from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from streams.agents.drift_desk import DriftDesk
from streams.drift import precision
from streams.drift.periods import CURRENT_HOURS, REFERENCE_HOURS
from streams.drift.precision import chance_of_fewer
from streams.review.quality import Source, Tally
from streams.settings import Settings
from streams.statistics.records import HOUR_US, Counts, InputCounts, ScoreCounts, encode
from tests.unit.agents.waiting import until

NOW = 500_000
FIRST = NOW + 1 - CURRENT_HOURS - REFERENCE_HOURS


@dataclass(frozen=True)
class Record:
    value: bytes | None


def written(instance: str, *, moved: int) -> list[Counts]:
    """Counts of one worker, each hour the same; the last day moved by so many bins."""
    counts: list[Counts] = []
    for hour in range(FIRST - 5, NOW + 1):
        place = -128 + (moved if hour > NOW - CURRENT_HOURS else 0)
        spread = {place + 8 * step: 10 for step in range(10)}
        counts.append(
            ScoreCounts(
                instance=instance,
                hour=hour,
                domain="harassment",
                model="m",
                version=3,
                role="champion",
                alone=spread,
            )
        )
        counts.append(InputCounts(instance=instance, hour=hour, kind="message", facts={"script=latin": 100}))
    return counts


def desk(tmp_path: Path, tallies: dict[int, dict[Source, Tally]] | None = None) -> DriftDesk:
    return DriftDesk(Settings(data_dir=tmp_path), tallies=lambda: tallies or {}, now_us=lambda: NOW * HOUR_US)


def gauge(metric: str, /, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(metric, labels)


async def test_scores_that_moved_are_shown_logged_once_and_exposed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watching = desk(tmp_path)
    watching.intake.fold([Record(encode(c)) for c in [*written("a", moved=200), *written("b", moved=200)]])
    with caplog.at_level(logging.WARNING):
        await watching.compare()
        await watching.compare()
    labels = {"domain": "harassment", "model": "m", "version": "3"}
    assert (gauge("sekisho_drift_scores", **labels, measure="psi") or 0) > 1
    assert (gauge("sekisho_drift_scores", **labels, measure="ks") or 0) > 0.9
    assert gauge("sekisho_drift_level", of="scores", domain="harassment", name="m", version="3") == 2
    assert gauge("sekisho_drift_level", of="inputs", domain="message", name="script", version="") == 0
    assert gauge("sekisho_drift_inputs", kind="message", fact="script") == 0
    assert [r.message.split(":")[1].strip() for r in caplog.records] == ["harassment"]
    page = watching.page()
    assert page["level"] == "drifted"
    assert page["scores"][0]["events"] == 2 * 100 * CURRENT_HOURS
    assert page["scores"][0]["reference_events"] == 2 * 100 * REFERENCE_HOURS
    assert page["reading"]["unreadable"] == 0


async def test_the_same_traffic_and_bytes_of_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    watching = desk(tmp_path)
    records = [Record(encode(counts)) for counts in written("a", moved=0)]
    watching.intake.fold([*records, Record(b"{"), Record(b"\xff"), Record(None), *records])
    with caplog.at_level(logging.WARNING):
        await watching.compare()
    assert gauge("sekisho_drift_level", of="scores", domain="harassment", name="m", version="3") == 0
    assert watching.page()["reading"]["unreadable"] == 2
    assert not caplog.records


async def test_fewer_confirmed_alerts_are_exposed(tmp_path: Path) -> None:
    rule = Source("harassment", "rule", "har.insults")
    today = NOW * HOUR_US // (24 * HOUR_US)
    tallies = {
        today - 10: {rule: Tally(violation=95, no_violation=5)},
        today: {rule: Tally(violation=50, no_violation=50)},
    }
    watching = desk(tmp_path, tallies)
    await watching.compare()
    assert gauge(
        "sekisho_drift_precision_fall",
        domain="harassment",
        by="rule",
        name="har.insults",
        version="",
        role="",
    ) == pytest.approx(0.45)
    assert (
        gauge("sekisho_drift_level", of="precision", domain="harassment", name="har.insults", version="") == 2
    )


async def test_before_anything_is_read(tmp_path: Path) -> None:
    watching = desk(tmp_path)
    assert watching.page()["reading"]["caught_up"] is False
    await watching.compare()
    assert watching.page()["level"] == "too few"


async def test_it_stops_while_no_broker_answers(tmp_path: Path) -> None:
    watching = DriftDesk(Settings(data_dir=tmp_path, broker="127.0.0.1:9"), tallies=dict)
    watching.start()
    await watching.stop()
    assert watching.page()["reading"]["caught_up"] is False


async def test_a_bad_round_is_shown_and_logged_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good = asyncio.Event()

    def at_first_broken() -> dict[int, dict[Source, Tally]]:
        if not good.is_set():
            raise RuntimeError("no tallies")
        return {}

    async def there() -> None:
        """What is in Kafka has been read."""

    watching = DriftDesk(
        Settings(data_dir=tmp_path, broker="127.0.0.1:9"),
        tallies=at_first_broken,
        compare_every_s=0.01,
        now_us=lambda: NOW * HOUR_US,
    )
    monkeypatch.setattr(watching._log, "wait_caught_up", there)
    watching.start()
    try:
        await until(lambda: "no tallies" in str(watching.page()["reading"]["trouble"]))
        good.set()
        await until(lambda: "level" in watching.page())
    finally:
        await watching.stop()
    assert "no tallies" not in str(watching.page()["reading"]["trouble"])
    assert "drift is no longer watched by this worker, until a round succeeds" in caplog.text


async def test_chances_are_worked_out_once_beside_the_event_loop_and_where_the_precision_fell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Tally, bool]] = []

    def noted(reference: Tally, current: Tally) -> float:
        asked.append((current, threading.current_thread() is threading.main_thread()))
        return chance_of_fewer(reference, current)

    monkeypatch.setattr(precision, "chance_of_fewer", noted)
    fell, steady = (Source("harassment", "rule", name) for name in ("fell", "steady"))
    today = NOW * HOUR_US // (24 * HOUR_US)
    before, now = Tally(violation=95, no_violation=5), Tally(violation=50, no_violation=50)
    watching = desk(
        tmp_path, {today - 10: {fell: before, steady: before}, today: {fell: now, steady: before}}
    )
    await watching.compare()

    (of_fell, of_steady) = watching.page()["precision"]
    assert (of_fell["level"], of_steady["level"]) == ("drifted", "steady")
    assert (of_fell["chance"], of_steady["chance"]) == (pytest.approx(0.0, abs=1e-3), None)
    assert asked == [(now, False)]
