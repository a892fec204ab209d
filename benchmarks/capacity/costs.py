"""What an event costs, as the scaling benchmark measured it: the only inputs of the capacity guide that are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.scaling.report import bytes_per_conversation, of_role_us, of_run

#: The axes of `benchmarks/results/scaling.json` that the guide rests on.
AXES = ("domains", "conversations", "workers", "images")


class NotMeasured(Exception):
    """The result holds no figure that is needed; the message says which run makes it."""


@dataclass(frozen=True, slots=True)
class EventCost:
    """Processor time and bytes of one event, and the number of models that score it.

    Times are in microseconds: `worker_us` of the worker, `triton_us` of Triton with the processes that run the models,
    `encoder_us` the image encoder's part of it, `broker_us` of a broker that keeps one copy. `bytes_in` is the record,
    `bytes_out` its prediction, alerts and window, uncompressed.
    """

    models: int
    worker_us: float
    triton_us: float
    encoder_us: float
    broker_us: float
    bytes_in: float
    bytes_out: float


@dataclass(frozen=True, slots=True)
class Costs:
    """Everything the guide reckons with.

    `messages` by number of domains. `worker_factor`: how many times the processor time of a lone worker an event takes
    when several share the partitions. `conversation_bytes` and `recovery_us` are what a held conversation adds to a
    worker's memory and to its start, by store, at the far end of what was measured; `changelog_bytes` is its record in
    Kafka, and `resident_bytes` a worker that holds almost none.
    """

    messages: Mapping[int, EventCost]
    listing: EventCost
    worker_factor: float
    conversation_bytes: Mapping[str, float]
    recovery_us: Mapping[str, float]
    changelog_bytes: float
    resident_bytes: float


def costs_of(result: Mapping[str, Any]) -> Costs:
    """The costs that a result of `benchmarks.scaling` holds. Raises `NotMeasured`."""
    axes = result["axes"]
    missing = [axis for axis in AXES if axis not in axes]
    if missing:
        raise NotMeasured(
            f"no figures of {', '.join(missing)}: run python -m benchmarks.scaling --only {','.join(missing)}"
        )
    pictures = {case["at"]: case for case in axes["images"]["cases"]}
    if 1 not in pictures:
        raise NotMeasured("no listings with one picture: run python -m benchmarks.scaling --only images")
    held = _by_store(axes["conversations"]["cases"])
    alone, *_, many = sorted(
        _on_fewest_cores(axes["workers"]["cases"]), key=lambda case: int(case["workers"])
    )
    return Costs(
        messages={case["at"]: event_cost(case, models=case["at"]) for case in axes["domains"]["cases"]},
        # The shipped policy has two listing models; the encoder is a third for listings with a picture.
        listing=event_cost(pictures[1], models=2),
        worker_factor=max(1.0, of_role_us(many, "all", "worker") / of_role_us(alone, "all", "worker")),
        conversation_bytes={store: bytes_per_conversation(*cases[-2:]) for store, cases in held.items()},
        recovery_us={store: _recovery_us(*cases[-2:]) for store, cases in held.items()},
        changelog_bytes=max(
            1e6 * of_run(cases[-1], "changelog_mb") / cases[-1]["conversations"] for cases in held.values()
        ),
        resident_bytes=max(1e6 * of_run(cases[0], "resident_mb") for cases in held.values()),
    )


def event_cost(case: Mapping[str, Any], *, models: int) -> EventCost:
    """Medians of a case with one part of traffic, `all`."""
    sizes = {
        name: median(run["bytes_per_event"].get(name, 0.0) for run in case["runs"])
        for name in ("in", "predictions", "alerts", "windows")
    }
    return EventCost(
        models=models,
        worker_us=of_role_us(case, "all", "worker"),
        triton_us=of_role_us(case, "all", "models"),
        encoder_us=of_role_us(case, "all", "encoder"),
        broker_us=of_role_us(case, "all", "broker"),
        bytes_in=sizes["in"],
        bytes_out=sizes["predictions"] + sizes["alerts"] + sizes["windows"],
    )


def _by_store(cases: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    ordered = sorted(cases, key=lambda case: int(case["conversations"]))
    return {
        store: [case for case in ordered if case["store"] == store]
        for store in dict.fromkeys(case["store"] for case in cases)
    }


def _on_fewest_cores(cases: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    fewest = min(case["cores"] for case in cases)
    return [case for case in cases if case["cores"] == fewest]


def _recovery_us(least: Mapping[str, Any], most: Mapping[str, Any]) -> float:
    added_s = of_run(most, "start_cpu_s") - of_run(least, "start_cpu_s")
    return 1e6 * added_s / int(most["conversations"] - least["conversations"])
