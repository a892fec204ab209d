"""The consumer's thread: short fetch waits, partitions in turn, and a partition's end read from a Fetch response.

Faults:
- faust/transport/drivers/aiokafka.py hard-codes `fetch_max_wait_ms=1500`; a broker that waits it out (Tansu waits a
  part of it) adds 400 ms to every event.
- aiokafka's `fetched_records` hands out all that one fetch brought of a partition, up to 1 MiB or some 10,000 messages,
  before it turns to the next. With a backlog the partitions behind stand still meanwhile, their rule alerts with
  them: eight partitions of a worker that does 1,000 events/s for 70 s each, which the watch takes for a stall. What
  was read from goes to the end of the row.
- the end of a changelog is asked with ListOffsets(latest). One embedded broker (Tansu 0.6) answers the base offset of
  the last *batch* + 1, so recovery would stop early and windows would miss messages. The high watermark in a Fetch
  response is right on every broker; asking for both costs one small request per broker and recovery.
- a partition whose commit failed crashes the thread; see `commit_frontier` for the bookkeeping.
- five minutes after the start `verify_event_path` begins to log, as errors and every half minute, that partitions are
  not processed or not committed: it reads marks that single events leave, and batches leave none. A partition that
  was quiet is named as well. The worker's own watch (streams/progress.py) judges by offsets.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from aiokafka.errors import KafkaError
from aiokafka.protocol.fetch import FetchRequest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

import streams.kafka.header_names  # noqa: F401 - corrects what consumers read
from streams.kafka.permissions import explained

#: A fetch with nothing to bring waits this long at the broker: 50 requests/s when idle, about 2 % of a core.
FETCH_MAX_WAIT_MS = 20
#: Bytes asked for when only the high watermark is wanted; any record fits or is cut, both are fine.
PROBE_BYTES = 1 << 20


class CorrectedConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread with these corrections."""

    async def on_start(self) -> None:
        """Start aiokafka's consumer and shorten its fetch wait."""
        await super().on_start()
        self._consumer._fetcher._fetch_max_wait_ms = FETCH_MAX_WAIT_MS

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Says nothing: the marks it would read are not made here."""

    async def _fetch_records(
        self,
        consumer: Any,  # noqa: ANN401
        active_partitions: Any,  # noqa: ANN401
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's
        max_records: int | None = None,
    ) -> dict[Any, list[Any]]:
        """What was fetched of some partitions, at most `max_records`; of the others the next time."""
        try:
            found: dict[Any, list[Any]] = await super()._fetch_records(
                consumer, active_partitions, timeout=timeout, max_records=max_records
            )
        except KafkaError as error:
            said = explained(error, operation="Read")
            if said is error:
                raise
            raise said from error
        fetched = consumer._fetcher._records
        for tp in found:
            if tp in fetched:  # there is more of it
                fetched.move_to_end(tp)
        return found

    async def _highwaters(self, partitions: Any) -> dict[TP, int]:  # noqa: ANN401
        ends: dict[TP, int] = dict(await super()._highwaters(partitions))
        client = self._ensure_consumer()._client
        probes: defaultdict[int, defaultdict[str, list[tuple[int, int, int]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for tp, end in ends.items():
            if end:
                leader = client.cluster.leader_for_partition(driver.ensure_aiokafka_TP(tp))
                if leader is not None and leader >= 0:
                    probes[leader][tp.topic].append((tp.partition, end - 1, PROBE_BYTES))
        by_name = {(tp.topic, tp.partition): tp for tp in ends}
        for leader, topics in probes.items():
            response = await client.send(leader, FetchRequest(1, 1, PROBE_BYTES, 0, list(topics.items())))
            for topic, answers in response.topics:
                for partition, error, highwater, *_ in answers:
                    tp = by_name[topic, partition]
                    if not error and highwater > ends[tp]:
                        ends[tp] = highwater
        return ends
