"""Committed offsets: a coordinator's refusal is not the answer that nothing was committed.

Fault (aiokafka/consumer/group_coordinator.py `_do_fetch_commit_offsets`): since version 2 of OffsetFetch a broker that
is not, or not yet, the group's coordinator answers with no partitions and the error beside them. aiokafka looks for
errors in the partitions only, so it takes the refusal for "no partition has a committed offset" and the position is
reset: to the beginning, and every event is processed again, or with `latest` to the end, and they are lost. Observed
with three brokers whenever the coordinator had moved (after a preferred leader election) and the client had not heard.

Correction: the error is raised where aiokafka raises those of partitions; it finds the coordinator anew and asks again.
"""

from __future__ import annotations

from typing import Any

from aiokafka import errors
from aiokafka.protocol.commit import OffsetFetchRequest


class CommittedOffsets:
    """Mixin for Faust's consumer thread."""

    async def on_start(self: Any) -> None:
        """Start aiokafka's consumer and make it heed the error of an answer."""
        await super().on_start()  # type: ignore[misc]
        heed_refusals(self._consumer._coordinator)


def heed_refusals(coordinator: Any) -> None:  # noqa: ANN401 - aiokafka has no types
    """Make an aiokafka `GroupCoordinator` raise what an OffsetFetch answer says beside its partitions."""
    send = coordinator._send_req

    async def checked(request: Any) -> Any:  # noqa: ANN401
        response = await send(request)
        if isinstance(request, OffsetFetchRequest) and (code := getattr(response, "error_code", 0)):
            error = errors.for_code(code)
            if error is errors.NotCoordinatorForGroupError:
                coordinator.coordinator_dead()
            raise error
        return response

    coordinator._send_req = checked
