"""A result as the benchmark writes it, with figures that are easy to reckon with."""

from __future__ import annotations

from typing import Any

SURROUNDINGS = {
    "date": "2026-01-01",
    "command": "python -m benchmarks.scaling",
    "machine": "a machine",
    "versions": {"Python": "3"},
    "partitions": 8,
}


def part(worker: float, models: float, encoder: float | None = None) -> dict[str, Any]:
    used = {"worker": worker, "models": models, "broker": 10.0}
    if encoder is not None:
        used["encoder"] = encoder
    return {"events": 100, "seconds": 1.0, "events_per_s": 100.0, "cpu_us": used}


def run(
    parts: dict[str, Any], *, resident_mb: float = 200.0, start_cpu_s: float = 2.0, changelog_mb: float = 0.0
) -> dict[str, Any]:
    return {
        "parts": parts,
        "alerts_per_event": 0.05,
        "bytes_per_event": {"in": 200.0, "predictions": 900.0, "alerts": 50.0, "windows": 50.0},
        "batch_rows": 20.0,
        "rescored": 0,
        "changelog_mb": changelog_mb,
        "resident_mb": resident_mb,
        "ready_s": 3.0,
        "start_cpu_s": start_cpu_s,
    }


def case(at: int, title: str, runs: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    usual = {"workers": 1, "cores": 2, "conversations": 0, "store": "memory", "events": {"all": 100}}
    return {"at": at, "title": title, "runs": runs, **usual, **fields}


def of_costs(*costs: tuple[float, float]) -> list[dict[str, Any]]:
    """Runs with so many microseconds of worker and models."""
    return [run({"all": part(worker, models)}) for worker, models in costs]


def held(conversations: int, store: str, us: float, resident_mb: float, start_cpu_s: float) -> dict[str, Any]:
    parts = {"lively": part(us, 0.0), "scattered": part(2 * us, 0.0)}
    changelog_mb = 440e-6 * conversations
    runs = [run(parts, resident_mb=resident_mb, start_cpu_s=start_cpu_s, changelog_mb=changelog_mb)]
    return case(
        conversations,
        f"{conversations:,} conversations, {store}",
        runs,
        conversations=conversations,
        store=store,
    )


def result() -> dict[str, Any]:
    """Every axis. Ten domains cost 2,000 µs; ten thousand rules 1.6 times a hundred; a conversation 1,000 bytes."""
    axes = {
        "domains": [
            case(3, "3 domains", of_costs((200.0, 600.0))),
            case(10, "10 domains", of_costs((250.0, 1_650.0), (300.0, 1_700.0), (350.0, 1_900.0))),
        ],
        "rules": [
            case(100, "100 rules", of_costs((200.0, 300.0))),
            case(10_000, "10,000 rules", of_costs((500.0, 300.0))),
        ],
        "conversations": [
            held(1_000, "memory", 100.0, 200.0, 2.0),
            held(1_000, "rocksdb", 100.0, 200.0, 2.0),
            held(1_001_000, "memory", 105.0, 1_200.0, 7.0),
            held(1_001_000, "rocksdb", 120.0, 700.0, 12.0),
        ],
        "workers": [
            case(1, "1 worker on 2 cores", of_costs((200.0, 600.0))),
            case(4, "4 workers on 2 cores", of_costs((220.0, 600.0)), workers=4),
        ],
        "images": [
            case(0, "0 pictures", of_costs((300.0, 200.0))),
            case(1, "1 picture", [run({"all": part(3_000.0, 7_000.0, 6_000.0)})]),
        ],
        "lengths": [case(15, "15 characters", of_costs((100.0, 200.0)))],
    }
    made = {name: {**SURROUNDINGS, "cases": cases} for name, cases in axes.items()}
    made["images"]["picture_bytes"] = 100_000
    return {"benchmark": "scaling", "axes": made}
