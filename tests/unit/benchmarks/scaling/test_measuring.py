"""What a run reads off: only scored events count, the clock is the log's, every case has its turn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.end_to_end.cpu import CpuSamples
from benchmarks.scaling.__main__ import main
from benchmarks.scaling.campaign import turns
from benchmarks.scaling.deployment import read_policy
from benchmarks.scaling.measuring import NotScored, part, scored


@dataclass
class Record:
    """What is looked at of a record read back."""

    value: bytes
    timestamp: int = 0


def prediction(event_id: str, scores: list[float | None], notes: tuple[str, ...] = ()) -> Record:
    body: dict[str, Any] = {
        "subject": {"type": "message", "message_id": event_id},
        "scores": [{"score": score} for score in scores],
        "notes": list(notes),
    }
    return Record(orjson.dumps(body))


def test_scored_events_are_found_by_id() -> None:
    records = [prediction("a", [0.1, 0.2]), prediction("b", [0.3, 0.4], ("time_from_record",))]
    assert scored(records, models=2) == {"a": records[0], "b": records[1]}


@pytest.mark.parametrize(
    "record",
    [
        prediction("a", [0.1]),
        prediction("a", [0.1, None]),
        prediction("a", [0.1, 0.2], ("image_not_encoded:unavailable",)),
        prediction("a", [0.1, 0.2], ("image_host_refused",)),
    ],
)
def test_an_event_without_all_the_work_ends_the_run(record: Record) -> None:
    with pytest.raises(NotScored, match="'a'"):
        scored([record], models=2)


def test_the_first_timestamp_starts_the_clock() -> None:
    records = [Record(b"", 10_000), Record(b"", 10_000), Record(b"", 10_500), Record(b"", 11_000)]
    samples = {"worker": CpuSamples([9.0, 12.0], [0.0, 3.0]), "broker": CpuSamples([9.0, 12.0], [1.0, 1.0])}
    found = part(records, samples)
    assert (found.events, found.seconds, found.events_per_s) == (2, 1.0, 2.0)
    assert found.cpu_us == {"worker": pytest.approx(500_000), "broker": 0.0}


@given(st.integers(1, 30), st.integers(0, 10))
def test_every_case_has_one_turn_in_each_round(cases: int, number: int) -> None:
    assert sorted(turns(cases, number)) == list(range(cases))


def test_the_order_changes_from_round_to_round() -> None:
    assert [list(turns(3, number)) for number in range(3)] == [[0, 1, 2], [0, 2, 1], [2, 0, 1]]


def test_a_policy_with_errors_is_told_in_full(tmp_path: Path) -> None:
    (tmp_path / "domains.yaml").write_text("format: 1\ndomains: {A: {title: x}}\n")
    with pytest.raises(ValueError, match=r"domains\.yaml:2"):
        read_policy(tmp_path)


def test_unknown_axes_and_trials_that_would_be_kept_are_refused() -> None:
    unknown = CliRunner().invoke(main, ["--only", "domains,speed"])
    assert (unknown.exit_code, "speed: there are domains, rules" in unknown.output) == (2, True)
    kept = CliRunner().invoke(main, ["--trial"])
    assert (kept.exit_code, "--trial needs --out DIR" in kept.output) == (2, True)
