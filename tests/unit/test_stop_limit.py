"""A stop that hangs ends all the same, and says whether anything was left unfinished."""

from __future__ import annotations

import logging
import threading

import pytest

from streams.stop_limit import StopLimit


class Process:
    """Notes the code it was ended with instead of ending."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.ended = threading.Event()

    def leave(self, code: int) -> None:
        self.code = code
        self.ended.set()


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    monkeypatch.setattr(logging, "shutdown", lambda: None)  # it would close pytest's own handlers
    return Process()


def test_what_is_not_closed_in_time_ends_with_1(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    limit = StopLimit(0.01, leave=process.leave)
    limit.begin()
    assert process.ended.wait(30)
    assert process.code == 1
    assert "will be delivered again" in caplog.text


@pytest.mark.parametrize("code", [0, 3])
def test_what_is_closed_keeps_its_code_although_threads_hang(
    process: Process, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    limit = StopLimit(0.01, leave=process.leave)
    limit.closed(code)
    limit.begin()
    assert process.ended.wait(30)
    assert process.code == code
    assert "delivered again" not in caplog.text


def test_a_limit_that_was_lifted_or_never_begun_ends_nothing(process: Process) -> None:
    StopLimit(0.0, leave=process.leave)
    lifted = StopLimit(0.2, leave=process.leave)
    lifted.begin()
    lifted.lift()
    assert not process.ended.wait(0.5)


def test_a_second_wish_does_not_prolong_it(process: Process) -> None:
    limit = StopLimit(0.01, leave=process.leave)
    limit.begin()
    assert process.ended.wait(30)
    process.ended.clear()
    limit.begin()
    assert not process.ended.wait(0.1)


def test_a_log_that_hangs_does_not_keep_the_process(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = threading.Event()
    monkeypatch.setattr(logging, "shutdown", hangs.wait)
    limit = StopLimit(0.01, leave=process.leave)
    limit.begin()
    try:
        assert process.ended.wait(30)
        assert process.code == 1
    finally:
        hangs.set()
