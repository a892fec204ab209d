"""Without the ACL for its group a worker stood still for a minute and ended as a stall, with no word about the cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupAuthorizationFailedError

from streams.kafka.permissions import MissingPermissionError
from tests.regression.faust.harness import Running, running, until

pytestmark = pytest.mark.embedded


def _forbid(state: Running) -> Callable[[], None]:
    """Have the broker's answer to the next heartbeats be a refusal, as when an ACL is taken away."""
    coordinator = state.consumer._thread._consumer._coordinator

    async def refused() -> bool:
        raise GroupAuthorizationFailedError(coordinator.group_id)

    def put() -> None:
        coordinator._do_heartbeat = refused

    return put


def _crash_reason(state: Running) -> Any:
    for service in (state.app, state.app.consumer):
        if service.crashed:
            return service.crash_reason
    return None


async def _hold(_: Running, message: Any) -> None:
    """Nothing is ever finished, so the stop has nothing to commit."""


async def test_a_group_that_is_refused_later_crashes_the_app_with_the_permission_that_is_missing(
    noida: str,
) -> None:
    async with running(noida, handle=_hold) as state:
        await state.produce(1)
        await until(lambda: len(state.offsets) == 1, "a record")
        state.consumer._thread.thread_loop.call_soon_threadsafe(_forbid(state))
        await until(lambda: _crash_reason(state) is not None, "the crash")
        _assert_it_says_what_is_missing(state)


async def test_a_group_that_is_refused_from_the_start_does_so_too(
    noida: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GroupCoordinator, "ensure_coordinator_known", _refused)
    async with running(noida, wait_for_assignment=False) as state:
        await until(lambda: _crash_reason(state) is not None, "the crash")
        _assert_it_says_what_is_missing(state)


async def _refused(coordinator: GroupCoordinator) -> None:
    raise GroupAuthorizationFailedError(coordinator.group_id)


def _assert_it_says_what_is_missing(state: Running) -> None:
    reason = _crash_reason(state)
    assert isinstance(reason, MissingPermissionError)
    assert "needs the ACL Read on it" in str(reason)
    assert f"the group {state.app.conf.id}" in str(reason)
