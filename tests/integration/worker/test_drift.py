"""Every worker sees the drift of the whole fleet's traffic, also one that was just started."""

from __future__ import annotations

import time

import pytest

from streams.policy import Policy
from streams.replay_files import Outgoing
from streams.settings import Settings
from streams.statistics.records import InputCounts, encode, hour_of, key_of
from tests.integration.kafka_records import write
from tests.integration.worker.conftest import StartWorker
from tests.integration.worker.outputs import accounted_for
from tests.integration.worker.pages import Page, page_of
from tests.integration.worker.traffic import generated, send

EVENTS = 400


def events(page: Page) -> dict[str, int]:
    """Events of the current period by what was compared."""
    scores = {f"{one['domain']}/{one['model']}/{one['version']}": one["events"] for one in page["scores"]}
    return scores | {f"{one['kind']} {one['fact']}": one["events"] for one in page["inputs"]}


@pytest.mark.parametrize("broker", ["tansu", "kafka"], indirect=True)
async def test_a_worker_knows_what_others_counted_and_what_came_before_it(
    settings: Settings, policy: Policy, start_worker: StartWorker
) -> None:
    """Counts are written at a worker's stop at the latest, and compared by a new one as soon as it has read them."""
    yesterday = hour_of(time.time_ns() // 1000) - 30
    before = InputCounts(
        instance="gone", hour=yesterday, kind="message", facts={"events": 5_000, "script=latin": 5_000}
    )
    today = InputCounts(
        instance="gone",
        hour=yesterday + 30,
        kind="message",
        facts={"events": 1_000, "script=japanese": 1_000},
    )
    records = [Outgoing(key_of(counts), encode(counts)) for counts in (before, today)]
    await write(settings, settings.topic("statistics"), records)
    first, second = await start_worker("first"), await start_worker("second")
    sent = generated(EVENTS)
    messages = sum(topic == "messages" for topic, _, _ in sent)
    await send(settings, sent)
    await accounted_for(settings, policy.domains)
    await first.stop()
    await second.stop()

    third, fourth = await start_worker("third"), await start_worker("fourth")
    pages = [
        await page_of(
            worker,
            "/drift",
            with_field="inputs",
            settled=lambda page: events(page).get("message script") == 1_000 + messages,
        )
        for worker in (third, fourth)
    ]

    assert events(pages[0]) == events(pages[1])
    script = next(one for one in pages[0]["inputs"] if (one["kind"], one["fact"]) == ("message", "script"))
    assert (script["reference_events"], script["level"]) == (5_000, "drifted")
    assert script["moved"]["bin"] == "japanese"
    of_champions = [
        one["events"] for one in pages[0]["scores"] if policy.domains[one["domain"]].applies_to == "message"
    ]
    assert of_champions
    assert set(of_champions) == {messages}
    _, exposed = third.get("/metrics")
    assert 'sekisho_drift_level{domain="message",name="script",of="inputs",version=""} 2.0' in exposed
