"""Outputs that were dropped because another worker owned their partition by then were counted as written.

That worker gets the same events, writes and counts them: each stood twice in the statistics that thresholds follow.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from prometheus_client import REGISTRY

from streams.agents.lane import Delivery
from streams.agents.scoring import ModelStep
from streams.agents.screening_lane import LaneEnds, ScreeningLane
from streams.alerts import Screened, message_subject
from streams.conclusion import Conclusion
from streams.events import Message, Position
from streams.kafka.outbox import Outbox
from streams.rulebook import LiveRulebook
from streams.screening import Case, Source
from streams.settings import Settings

POLICY = """\
format: 1
domains:
  harassment: {title: Insults, applies_to: message, severity: high}
"""


class Kafka:
    """A broker that takes nothing at the first try, during which the group may give the partitions to another."""

    def __init__(self, *, expels: bool) -> None:
        self.expels = expels
        self.holding: int | None = 1
        self.tries = 0

    async def send(self, _topic: str, **_: Any) -> asyncio.Future[None]:
        self.tries += 1
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.tries == 1:
            self.holding = None if self.expels else 1
            answer.set_exception(KafkaTimeoutError())
        else:
            answer.set_result(None)
        return answer


async def case(rules_dir: Path) -> Case:
    (rules_dir / "domains.yaml").write_text(POLICY)
    rulebook = LiveRulebook(rules_dir, poll_s=60)
    await rulebook.start()
    await rulebook.stop()
    message = Message(message_id="m", transaction_id="t", writer="buyer", text="はい")
    where = Position("messages", 0, 4)
    shown = {"status": None, "messages": [{"message_id": "m", "writer": "buyer", "text": "はい"}]}
    return Case(
        screened=Screened(message_subject(message), where, 0, (), (), shown, "r", "p"),
        source=Source(where, 0, b"t", b"{}"),
        rulebook=rulebook.current,
        wanted=(),
        features=None,
    )


def predictions() -> float:
    return REGISTRY.get_sample_value("sekisho_predictions_total", {"kind": "message"}) or 0.0


@pytest.mark.parametrize("expelled", [True, False])
async def test_an_event_is_counted_by_the_worker_that_wrote_it(tmp_path: Path, expelled: bool) -> None:
    kafka = Kafka(expels=expelled)
    counted: list[tuple[Case, Conclusion]] = []
    screening = ScreeningLane(
        Settings(),
        models=ModelStep(None, deadline_s=1.0, batch_rows=8),  # type: ignore[arg-type] # no model is asked
        outbox=Outbox(kafka),  # type: ignore[arg-type]
        ends=LaneEnds(
            complete=lambda _: None,
            is_current=lambda _: True,
            holding=lambda: kafka.holding,
            fail=lambda error: pytest.fail(repr(error)),
        ),
        counted=counted.extend,
    )
    before = predictions()
    delivery = Delivery("messages", 0, 4, 1, left=1)
    screening.lane.start()
    await screening.lane.begin(delivery)
    await screening.lane.put(delivery, [await case(tmp_path)])
    async with asyncio.timeout(30):
        await screening.lane.wait_empty()
    await screening.lane.stop()
    assert kafka.tries == (1 if expelled else 2)
    assert len(counted) == (0 if expelled else 1)
    assert predictions() - before == (0 if expelled else 1)
