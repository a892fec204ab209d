"""Parquet files of the archive: their columns, how they are written, and what their footers say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, BinaryIO, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from streams.archive.layout import FORMAT, Claim, ForeignFileError
from streams.archive.rotation import Kept
from streams.archive.rows import row_of

#: The footer's key whose value is the file's `Claim` as JSON.
CLAIM_KEY: Final = b"sekisho.archive"
#: Rows of a row group. Rows in Python take some ten times their bytes, so few of them are made at a time.
_ROWS_TOGETHER: Final = 5_000

_TIME: Final = pa.timestamp("us", tz="UTC")
_WORD: Final = pa.dictionary(pa.int32(), pa.string())
_SUBJECT: Final = (
    ("subject_type", _WORD),
    ("subject_message_id", pa.string()),
    ("subject_transaction_id", pa.string()),
    ("subject_listing_id", pa.string()),
    ("subject_seller_id", pa.string()),
    ("stress", pa.bool_()),  # of a load test: to be left out of statistics and training
)
_STOOD: Final = (("source_topic", _WORD), ("source_partition", pa.int32()), ("source_offset", pa.int64()))
_SET: Final = (("notes", pa.list_(pa.string())), ("ruleset", _WORD), ("policy", _WORD))
_GATE: Final = pa.struct([("text", pa.float64()), ("image", pa.float64())])
_MODEL: Final = [
    ("model", pa.string()),
    ("version", pa.string()),
    ("role", pa.string()),
    ("score", pa.float64()),
    ("threshold", pa.float64()),
    ("gate", _GATE),
]
_SCORE: Final = pa.struct(
    [("domain", pa.string()), *_MODEL, ("failure", pa.string()), ("decides", pa.bool_())]
)
_FIRED: Final = pa.struct([(name, pa.string()) for name in ("domain", "rule_id", "rule_version", "mode")])
_EVIDENCE: Final = pa.struct(
    [
        ("by", pa.string()),
        ("rule_id", pa.string()),
        *_MODEL,
        ("share", pa.float64()),
        ("report_id", pa.string()),
    ]
)

#: Columns by data set, after those that every record has.
_COLUMNS: Final[Mapping[str, tuple[tuple[str, pa.DataType], ...]]] = {
    "predictions": (
        *_SUBJECT,
        ("content", pa.string()),
        ("event_at", _TIME),
        ("scored_at", _TIME),
        *_STOOD,
        ("scores", pa.list_(_SCORE)),
        ("rules", pa.list_(_FIRED)),
        ("alerts", pa.list_(pa.string())),
        *_SET,
    ),
    "alerts": (
        *_SUBJECT,
        ("alert_id", pa.string()),
        ("revision", pa.int32()),
        ("severity", _WORD),
        ("raised_at", _TIME),
        ("event_at", _TIME),
        ("evidence", pa.list_(_EVIDENCE)),
        *_SET,
    ),
    "decisions": (
        ("alert_id", pa.string()),
        ("verdict", _WORD),
        ("moderator_id", pa.string()),
        ("decided_at", _TIME),
        ("domain", pa.string()),
        ("reason", pa.string()),
    ),
    "alerted": (
        ("alert_id", pa.string()),
        ("domain", pa.string()),
        ("revision", pa.int32()),
        ("raised_at", _TIME),
        ("event_at", _TIME),
    ),
    "deadletter": (
        ("reason", _WORD),
        ("detail", pa.string()),
        *_STOOD,
        ("put_aside_at", _TIME),
    ),
}


def schema_of(dataset: str) -> pa.Schema:
    """Columns of a data set's files: where the record stood, the record as it was, and what of it people ask for."""
    return pa.schema(
        [
            ("partition", pa.int32()),
            ("offset", pa.int64()),
            ("at", _TIME),
            ("key", pa.binary()),
            ("value", pa.binary()),
            ("headers", pa.list_(pa.struct([("name", pa.string()), ("value", pa.binary())]))),
            *_COLUMNS[dataset],
        ]
    )


def file_of(dataset: str, records: Sequence[Kept], claim: Claim) -> tuple[bytes, int]:
    """The Parquet file of these records (zstd), and how many of them are not what their topic should hold."""
    schema = schema_of(dataset).with_metadata({CLAIM_KEY: msgspec.json.encode(claim)})
    file, unreadable = BytesIO(), 0
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for start in range(0, len(records), _ROWS_TOGETHER):
            rows = []
            for record in records[start : start + _ROWS_TOGETHER]:
                row, readable = row_of(dataset, record)
                row["partition"] = claim.partition
                rows.append(row)
                unreadable += not readable
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    return file.getvalue(), unreadable


def claim_of(file: BinaryIO, path: str) -> Claim:
    """What a file says it holds. Raises `ForeignFileError` for one that this archive cannot have written."""
    try:
        metadata: Mapping[bytes, Any] = pq.read_schema(file).metadata or {}
        claim = msgspec.json.decode(metadata.get(CLAIM_KEY, b""), type=Claim)
    except (pa.ArrowInvalid, OSError, msgspec.DecodeError) as error:
        raise ForeignFileError(f"{path}: named like a file of the archive, and is none: {error}") from error
    if claim.format != FORMAT:
        raise ForeignFileError(f"{path}: of format {claim.format}; this release reads {FORMAT}")
    return claim
