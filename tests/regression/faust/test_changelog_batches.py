"""Stock Faust recovers record by record, and goes on for ever when applying a part of a changelog fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from streams.kafka.faust_corrections import PassThroughSchema
from tests.regression.faust.harness import make_topic, running, until

pytestmark = pytest.mark.embedded


class FullDisk(OSError):
    pass


def _table_of(app: Any) -> Any:
    (table,) = app.tables.values()
    return table


def _batches(app: Any) -> None:
    """As the worker does: the changelog in batches."""
    table = _table_of(app)
    table.schema = PassThroughSchema()
    table._changelog_topic = None
    app.consumer.table_topics = frozenset({table.changelog_topic_name})


async def _changelog(
    bootstrap: str, app_id: str, values: Sequence[tuple[bytes | None, bytes | None]]
) -> None:
    from aiokafka import AIOKafkaProducer

    await make_topic(bootstrap, f"{app_id}-w-changelog")
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        await asyncio.gather(
            *[
                await producer.send(f"{app_id}-w-changelog", key=key, value=value, partition=0)
                for key, value in values
            ]
        )
    finally:
        await producer.stop()


async def test_all_of_a_changelog_is_recovered_and_what_was_deleted_stays_deleted(noida: str) -> None:
    values: list[tuple[bytes, bytes | None]] = [(b"k%d" % n, b"v%d" % n) for n in range(3000)]
    values += [(b"k%d" % n, None) for n in range(0, 3000, 3)]
    values += [(b"k%d" % n, b"again") for n in range(0, 3000, 9)]
    await _changelog(noida, "batches", values)
    held: dict[bytes, bytes] = {}
    async with running(noida, app_id="batches", on_app=_batches) as one:
        await until(lambda: one.app.tables.actives_ready, "recovery")
        held = dict(_table_of(one.app).data.data)
    expected: dict[bytes, bytes] = {}
    for key, value in values:
        if value is None:
            expected.pop(key, None)
        else:
            expected[key] = value
    assert held == expected


async def test_records_without_a_key_are_nobodys(noida: str) -> None:
    """No tombstone can name them, and RocksDB would raise."""
    await _changelog(noida, "keyless", [(b"k", b"v"), (None, b"stray"), (b"", b"empty")])
    async with running(noida, app_id="keyless", on_app=_batches) as one:
        await until(lambda: one.app.tables.actives_ready, "recovery")
        assert set(_table_of(one.app).data.data) == {b"k", b""}


def _broken_store(app: Any) -> None:
    def apply(*_: Any, **__: Any) -> None:
        raise FullDisk(28, "No space left on device")

    _table_of(app).data.apply_changelog_batch = apply


async def test_a_part_that_cannot_be_applied_ends_the_app(noida: str) -> None:
    await _changelog(noida, "broken", [(b"k", b"v")] * 10)

    def both(app: Any) -> None:
        _batches(app)
        _broken_store(app)

    async with running(noida, app_id="broken", on_app=both, wait_for_assignment=False) as one:
        await until(lambda: one.app.crashed, "the crash")
        assert isinstance(one.app.crash_reason, FullDisk)
