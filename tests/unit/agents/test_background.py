"""An error beside the screening is told once, shown while it lasts, and ends no round after it."""

from __future__ import annotations

import asyncio

import pytest

from streams.agents.background import Background


async def fails() -> None:
    raise ValueError("one odd record")


async def fails_elsewhere() -> None:
    raise ValueError("one odd record")


async def succeeds() -> None:
    pass


async def test_rounds_that_fail_are_shown_until_one_succeeds_and_told_once_for_each_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Background("nothing is counted")
    for _ in range(3):
        await work.attempt(fails)
    shown = [work.failed]
    await work.attempt(succeeds)
    shown.append(work.failed)
    assert shown == ["ValueError: one odd record", None]
    await work.attempt(fails)
    await work.attempt(fails_elsewhere)

    assert [record.message for record in caplog.records] == [
        "nothing is counted, until a round succeeds: ValueError: one odd record"
    ] * 2
    assert all(record.exc_info for record in caplog.records)


async def test_a_task_that_ended_is_shown_for_good(caplog: pytest.LogCaptureFixture) -> None:
    work = Background("nothing is counted")
    await asyncio.wait([work.begin(fails())])
    await asyncio.sleep(0)
    await work.attempt(succeeds)

    assert work.failed == "stopped: ValueError: one odd record"
    assert "nothing is counted: stopped" in caplog.text


async def test_a_round_can_be_cancelled() -> None:
    work = Background("nothing is counted")

    async def rounds() -> None:
        await work.attempt(lambda: asyncio.sleep(3600))

    task = work.begin(rounds())
    await asyncio.sleep(0)
    await work.stop()
    assert task.cancelled()
