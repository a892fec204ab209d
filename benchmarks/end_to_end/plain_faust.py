"""A Faust agent as its documentation shows one: one event at a time, a table for the windows, Triton awaited per event.

    python -m benchmarks.end_to_end.plain_faust          settings from SEKISHO_*, as a worker's

Stock faust-streaming without any of Sekisho's corrections. An event's three models are asked at the same time, and sends
are buffered as Faust does it, which is kinder than awaiting each.
"""

from __future__ import annotations

import asyncio
from typing import Any

import faust
import msgspec

from benchmarks.end_to_end.moderation import Moderation, answer, arrive, last_five
from streams.features.tensors import message_batch
from streams.inference.triton import TritonClient
from streams.kafka.topics import alerts_topic
from streams.settings import Settings
from streams.windows import Turn


def new_app(settings: Settings) -> faust.App:
    """The app with its agent."""
    app = faust.App(
        f"{settings.topic_prefix}plain-faust",
        broker=f"kafka://{settings.broker}",
        store="memory://",
        datadir=str(settings.data_dir / "plain-faust"),
        topic_partitions=settings.partitions,
        topic_replication_factor=1,
        topic_disable_leader=True,
        web_enabled=False,
    )
    moderation = Moderation(settings.rules_dir)
    triton = TritonClient.from_settings(settings)
    messages = app.topic(settings.topic("messages"), key_type=bytes, value_type=bytes, value_serializer="raw")
    predictions = app.topic(
        settings.topic("predictions"), key_type=bytes, value_type=bytes, value_serializer="raw"
    )
    alerts = {
        domain: app.topic(
            alerts_topic(settings, domain), key_type=bytes, value_type=bytes, value_serializer="raw"
        )
        for domain in moderation.policy.domains
    }
    windows = app.Table("windows", default=list, partitions=settings.partitions)

    async def score(inputs: dict[str, Any], model: str, version: int) -> float:
        outputs = await triton.infer(model, version, inputs, ["score"])
        return float(outputs["score"][0, 0])

    @app.agent(messages)  # type: ignore[untyped-decorator]  # Faust has no types
    async def moderate(stream: Any) -> None:  # noqa: ANN401 - Faust has no types
        async for event in stream.events():
            record = event.message
            arrived = arrive(
                record.topic,
                record.partition,
                record.offset,
                timestamp_us=int(record.timestamp * 1e6),
                key=record.key,
                value=event.value,
            )
            before = [Turn(*turn) for turn in windows[arrived.conversation]]
            window = last_five(before, arrived.turn)
            windows[arrived.conversation] = msgspec.to_builtins(window)
            case = moderation.case(arrived, window)
            inputs = message_batch([case.features], case.features.bucket)  # type: ignore[list-item]
            scores = await asyncio.gather(*(score(inputs, m.model, m.version) for m in moderation.models))
            written = answer(case, dict(zip(moderation.models, scores, strict=True)))
            for domain, alert in written.alerts:
                await alerts[domain].send(key=written.key, value=alert)
            await predictions.send(key=written.key, value=written.prediction)

    return app


def main() -> None:
    """Run a worker until it is stopped."""
    faust.Worker(new_app(Settings()), loglevel="warning").execute_from_commandline()


if __name__ == "__main__":
    main()
