from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pyarrow.parquet as pq
import pytest

from streams.archive.layout import Claim, ForeignFileError
from streams.archive.parquet import claim_of, file_of
from streams.archive.rotation import Kept
from tests.unit.archive.outputs import NOON_MS, alert, dead_letter, decision, prediction

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def claim(**changes: object) -> Claim:
    said = {
        "format": 1,
        "topic": "predictions",
        "partition": 2,
        "first": 5,
        "last": 5,
        "rows": 1,
        "last_at_ms": 9,
    }
    return Claim(**(said | changes))


def only_row(dataset: str, record: Kept) -> tuple[dict[str, object], int]:
    content, unreadable = file_of(dataset, [record], claim())
    (row,) = pq.read_table(BytesIO(content)).to_pylist()
    return row, unreadable


def test_a_prediction_can_be_asked_by_column_and_read_as_it_was() -> None:
    record = prediction(5)
    row, unreadable = only_row("predictions", record)
    assert unreadable == 0
    assert (row["partition"], row["offset"], row["at"], row["key"]) == (2, 5, NOON, b"t7")
    assert row["value"] == record.value
    assert (row["subject_type"], row["subject_message_id"], row["subject_transaction_id"]) == (
        "message",
        "m5",
        "t7",
    )
    assert (row["event_at"], row["scored_at"]) == (NOON, NOON)
    assert (row["source_topic"], row["source_partition"], row["source_offset"]) == ("messages", 2, 5)
    (score,) = row["scores"]
    assert (score["domain"], score["model"], score["version"], score["score"]) == (
        "harassment",
        "message_harassment",
        "3",
        0.95,
    )
    assert row["stress"] is False
    assert (row["alerts"], row["notes"]) == (["a1"], ["key_missing", "image_broken"])


def test_an_alert_shows_who_raised_it() -> None:
    row, unreadable = only_row("alerts", alert(5))
    assert unreadable == 0
    assert (row["revision"], row["severity"], row["raised_at"]) == (2, "high", NOON)
    (evidence,) = row["evidence"]
    assert (evidence["by"], evidence["model"], evidence["score"], evidence["rule_id"]) == (
        "model",
        "message_harassment",
        0.95,
        None,
    )


def test_a_decision_and_a_dead_letter() -> None:
    row, _ = only_row("decisions", decision(5))
    assert (row["alert_id"], row["verdict"], row["domain"]) == ("a5", "violation", "harassment")
    assert row["decided_at"] == datetime(2026, 11, 21, 11, tzinfo=UTC)
    row, unreadable = only_row("deadletter", dead_letter(5))
    assert unreadable == 0
    assert (row["reason"], row["source_offset"], row["value"]) == ("not_json", 17, b"{")
    assert {header["name"] for header in row["headers"]} >= {"sekisho.reason", "sekisho.offset"}


def test_a_tombstone_of_the_alerted_is_a_row() -> None:
    row, unreadable = only_row("alerted", Kept(5, NOON_MS, b"a1", None))
    assert (unreadable, row["value"], row["alert_id"]) == (0, None, None)


@pytest.mark.parametrize("dataset", ["predictions", "alerts", "decisions", "alerted", "deadletter"])
@pytest.mark.parametrize("value", [b"", b"{", b"[1]", b'{"alert_id": 7}', b"\xff", b"[" * 100_000])
def test_what_is_no_record_of_the_topic_is_kept_and_counted(dataset: str, value: bytes) -> None:
    row, unreadable = only_row(dataset, Kept(5, NOON_MS, None, value))
    assert (unreadable, row["value"], row["offset"]) == (1, value, 5)


def test_a_file_says_what_it_holds() -> None:
    said = claim(gap=(1, 5))
    content, _ = file_of("predictions", [prediction(5)], said)
    assert claim_of(BytesIO(content), "x.parquet") == said


def test_a_file_of_somebody_else_is_refused() -> None:
    content, _ = file_of("predictions", [prediction(5)], claim(format=2))
    with pytest.raises(ForeignFileError, match=r"x\.parquet: of format 2"):
        claim_of(BytesIO(content), "x.parquet")
    bare = BytesIO()
    pq.write_table(pq.read_table(BytesIO(content)).replace_schema_metadata(None), bare)
    bare.seek(0)
    with pytest.raises(ForeignFileError, match="is none"):
        claim_of(bare, "x.parquet")
    with pytest.raises(ForeignFileError, match="is none"):
        claim_of(BytesIO(b"PAR1"), "x.parquet")


def test_a_file_of_several_row_groups_keeps_its_order() -> None:
    records = [decision(number) for number in range(12_001)]
    content, unreadable = file_of("decisions", records, claim(last=12_000, rows=12_001))
    file = pq.ParquetFile(BytesIO(content))
    assert (file.metadata.num_row_groups, unreadable) == (3, 0)
    assert file.read(columns=["offset"])["offset"].to_pylist() == list(range(12_001))
