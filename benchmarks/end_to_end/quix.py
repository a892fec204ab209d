"""Quix Streams with the models in its own process, as its documentation shows a stateful application.

    python -m benchmarks.end_to_end.quix          settings from SEKISHO_*, model repository from SEKISHO_MODEL_REPOSITORY

Runs in an environment of its own (`quix_environment.py`). The window is kept in the library's state store (RocksDB with
a changelog topic). The library hands messages over one by one, so models see one row at a time; its producer batches
what is sent by itself.
"""

from __future__ import annotations

from typing import Any

from quixstreams import Application, State, message_context  # type: ignore[import-not-found]

from benchmarks.end_to_end.moderation import Moderation, answer, arrive, last_five
from benchmarks.end_to_end.onnx_models import OnnxModels
from streams.kafka.topics import alerts_topic
from streams.settings import Settings
from streams.windows import decode, encode


def new_application(settings: Settings) -> Application:
    """The application with its one pipeline."""
    app = Application(
        broker_address=settings.broker,
        consumer_group=f"{settings.topic_prefix}quix",
        auto_offset_reset="earliest",
        state_dir=settings.data_dir / "quix",
        loglevel="WARNING",
    )
    moderation = Moderation(settings.rules_dir)
    models = OnnxModels(settings.model_repository, moderation.models)
    messages = app.topic(settings.topic("messages"), key_deserializer="bytes", value_deserializer="bytes")
    out = {
        name: app.topic(name, key_serializer="bytes", value_serializer="bytes")
        for name in (
            settings.topic("predictions"),
            *(alerts_topic(settings, domain) for domain in moderation.policy.domains),
        )
    }

    def moderate(
        value: bytes, key: bytes, timestamp_ms: int, headers: object, state: State
    ) -> list[tuple[str, bytes]]:
        record = message_context()
        arrived = arrive(
            record.topic,
            record.partition,
            record.offset,
            timestamp_us=timestamp_ms * 1000,
            key=key,
            value=value,
        )
        kept = state.get_bytes("turns")
        window = last_five(decode(kept) if kept else (), arrived.turn)
        state.set_bytes("turns", encode(window))
        case = moderation.case(arrived, window)
        (scores,) = models.score([case.features])  # type: ignore[list-item]
        written = answer(case, scores)
        return [
            *((alerts_topic(settings, domain), alert) for domain, alert in written.alerts),
            (settings.topic("predictions"), written.prediction),
        ]

    def destination(value: tuple[str, bytes], key: Any, timestamp: int, headers: object) -> Any:  # noqa: ANN401
        return out[value[0]]

    frame = app.dataframe(messages)
    frame = frame.apply(moderate, stateful=True, metadata=True, expand=True)
    # The topic's serialiser takes bytes, so each destination gets a branch of its own, as the documentation advises.
    for name, topic in out.items():
        branch = frame[frame.apply(lambda value, name=name: value[0] == name)]
        branch.apply(lambda value: value[1]).to_topic(topic)
    return app


def main() -> None:
    """Run until it is stopped."""
    new_application(Settings()).run()


if __name__ == "__main__":
    main()
