"""An aiokafka loop that asks one REST service per model, one call per message.

    python -m benchmarks.end_to_end.rest_loop MODEL=URL … [--in-flight 16]          settings from SEKISHO_*

Messages of a fetch are asked about side by side, as far as `--in-flight` allows; with 1 it is one message after the
other, as the simplest of such loops do. Windows are kept in memory only. Outputs are acknowledged before the offsets are
committed.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import aiohttp
import orjson

from benchmarks.end_to_end.moderation import Answer, Moderation, answer, arrive, last_five
from streams.inference.contracts import ModelVersion
from streams.kafka.clients import consumer, producer
from streams.kafka.topics import alerts_topic
from streams.screening import Case
from streams.settings import Settings
from streams.windows import Turn

#: As many as Sekisho's worker fetches at a time.
_FETCHED = 256


class RestModels:
    """The models as services; at most so many messages are asked about at the same time."""

    def __init__(
        self, session: aiohttp.ClientSession, urls: dict[ModelVersion, str], *, in_flight: int
    ) -> None:
        self._session = session
        self._urls = urls
        self._slots = asyncio.Semaphore(in_flight)

    async def answer(self, case: Case) -> Answer:
        """Ask every model about one message, one call each, and weigh the scores."""
        features: Any = case.features
        body = orjson.dumps(
            {
                "tokens": [turn.tolist() for turn in features.tokens],
                "writers": features.writers,
                "status": features.status,
            }
        )
        async with self._slots:
            scores = await asyncio.gather(*(self._score(url, body) for url in self._urls.values()))
        return answer(case, dict(zip(self._urls, scores, strict=True)))

    async def _score(self, url: str, body: bytes) -> float:
        headers = {"Content-Type": "application/json"}
        async with self._session.post(url, data=body, headers=headers) as response:
            response.raise_for_status()
            return float(orjson.loads(await response.read())["score"])


async def run(settings: Settings, urls: dict[str, str], *, in_flight: int) -> None:
    """Moderate until cancelled."""
    moderation = await asyncio.to_thread(Moderation, settings.rules_dir)
    windows: dict[str, tuple[Turn, ...]] = {}
    predictions = settings.topic("predictions")
    async with (
        aiohttp.ClientSession() as session,
        consumer(
            settings,
            settings.topic("messages"),
            group_id=f"{settings.topic_prefix}rest",
            max_poll_records=_FETCHED,
        ) as records,
        producer(settings) as sender,
    ):
        models = RestModels(session, {m: urls[m.model] for m in moderation.models}, in_flight=in_flight)
        while True:
            cases = []
            for batch in (await records.getmany(timeout_ms=1000)).values():
                for record in batch:
                    arrived = arrive(
                        record.topic,
                        record.partition,
                        record.offset,
                        timestamp_us=record.timestamp * 1000,
                        key=record.key,
                        value=record.value,
                    )
                    window = last_five(windows.get(arrived.conversation, ()), arrived.turn)
                    windows[arrived.conversation] = window
                    cases.append(moderation.case(arrived, window))
            if not cases:
                continue
            sent = []
            for written in await asyncio.gather(*map(models.answer, cases)):
                for domain, alert in written.alerts:
                    sent.append(await sender.send(alerts_topic(settings, domain), alert, key=written.key))
                sent.append(await sender.send(predictions, written.prediction, key=written.key))
            await asyncio.gather(*sent)
            await records.commit()


def main() -> None:
    """Run until stopped."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("services", nargs="+", metavar="MODEL=URL")
    options.add_argument("--in-flight", type=int, default=16)
    chosen = options.parse_args()
    urls = dict(service.split("=", 1) for service in chosen.services)
    asyncio.run(run(Settings(), urls, in_flight=chosen.in_flight))


if __name__ == "__main__":
    main()
