"""Memory per 100,000 conversations, and how long a worker takes to get them back from the changelog.

    python -m benchmarks.state.recovery [--conversations 100000] [--store memory|rocksdb] [--broker HOST:PORT]

The changelog is filled with windows of generated chat as the engine encodes them (five turns each), on noida-db unless
a broker is named. Then a worker without models is started twice: on an empty changelog, and on the full one. Time is
from the start of the process to /readyz; memory is the resident set once it stands there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import psutil

import marketplace
from streams.agents.window_table import table_key
from streams.embedded.broker import EmbeddedBroker
from streams.embedded.process import free_ports
from streams.events import Writer
from streams.kafka import topics
from streams.kafka.clients import producer
from streams.policy import POLICY_FILE, parse_policy
from streams.settings import Settings
from streams.windows import Turn, encode

PARTITIONS = 8
TURNS = 5
READY_S = 300.0
ROOT = Path(__file__).parents[2]


def values(conversations: int) -> Iterator[tuple[int, bytes, bytes]]:
    """(partition, key, value) of so many windows of generated messages, a day old.

    Their offsets are below 0, older than whatever a topic holds: a message that is sent now joins them.
    """
    now = datetime.now(UTC) - timedelta(days=1)
    said = (
        e.value for e in marketplace.traffic(7, start=now, pace=marketplace.Pace()) if e.topic == "messages"
    )
    writers: dict[object, Writer] = {"seller": "seller", "buyer": "buyer"}
    texts = [
        (writers[m["writer"]], str(m["text"]))
        for _, m in zip(range(min(20_000, TURNS * conversations)), said, strict=False)
    ]
    at_us = int(now.timestamp() * 1e6)
    for number in range(conversations):
        turns = tuple(
            Turn(
                n - (number + 1) * TURNS,
                f"m{number}-{n}",
                at_us,
                *texts[(number * TURNS + n) % len(texts)],
                arrived_us=at_us,
            )
            for n in range(TURNS)
        )
        partition = number % PARTITIONS
        yield partition, table_key(partition, transaction_id(number)), encode(turns)


def transaction_id(number: int) -> str:
    """The conversation of that number; its partition is the number modulo `PARTITIONS`."""
    return f"transaction-{number}"


async def fill(settings: Settings, conversations: int) -> int:
    """Write the changelog; its size in bytes."""
    size, waiting = 0, []
    changelog = topics.windows_changelog(settings)
    async with producer(settings, linger_ms=50, max_batch_size=1 << 18) as client:
        for partition, key, value in values(conversations):
            size += len(key) + len(value)
            waiting.append(await client.send(changelog, value=value, key=key, partition=partition))
            if len(waiting) >= 20_000:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)
    return size


def recovered(settings: Settings, directory: Path, conversations: int) -> tuple[float, float, float]:
    """(seconds to ready, processor seconds, resident MB) of a worker with these settings."""
    port = free_ports(1)[0]
    environment = {
        **os.environ,
        "SEKISHO_BROKER": settings.broker,
        "SEKISHO_TOPIC_PREFIX": settings.topic_prefix,
        "SEKISHO_PARTITIONS": str(PARTITIONS),
        "SEKISHO_TRITON": "127.0.0.1:1",
        "SEKISHO_RULES_DIR": str(settings.rules_dir),
        "SEKISHO_DATA_DIR": str(directory),
        "SEKISHO_WINDOW_STORE": settings.window_store,
        "SEKISHO_WEB_PORT": str(port),
    }
    began = time.monotonic()
    with (directory.parent / f"{directory.name}.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "worker"], env=environment, stdout=log, stderr=log
        )
    try:
        while not _ready(port):
            if worker.poll() is not None or time.monotonic() - began > READY_S:
                raise RuntimeError(f"the worker did not get ready: see {log.name}")
            time.sleep(0.05)
        taken_s = time.monotonic() - began
        held = _windows(port)
        if abs(held - conversations) > 0.02 * conversations:  # RocksDB estimates
            raise RuntimeError(f"{held} of {conversations} conversations were recovered")
        process = psutil.Process(worker.pid)
        times = process.cpu_times()
        return taken_s, times.user + times.system, process.memory_info().rss / 1e6
    finally:
        worker.terminate()
        worker.wait(30)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer:
            return bool(json.loads(answer.read())["ready"])
    except (urllib.error.URLError, OSError):
        return False


def _windows(port: int) -> int:
    """Conversations the worker holds; it counts once a second."""
    time.sleep(1.5)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return int(float(next(line.split()[-1] for line in lines if line.startswith("sekisho_windows "))))


def measure(
    broker: str, conversations: int, store: Literal["memory", "rocksdb"], directory: Path
) -> dict[str, float]:
    """Both starts, and what the conversations account for."""
    policy, issues = parse_policy((ROOT / "rules" / POLICY_FILE).read_bytes(), POLICY_FILE)
    assert policy is not None, issues
    found: dict[str, tuple[float, float, float]] = {}
    size = 0
    for name in ("empty", "full"):
        settings = Settings(
            broker=broker,
            topic_prefix=f"recovery-{os.getpid()}-{name}.",
            partitions=PARTITIONS,
            rules_dir=ROOT / "rules",
            window_store=store,
        )
        asyncio.run(topics.create(settings, topics.catalogue(settings, policy.domains)))
        if name == "full":
            size = asyncio.run(fill(settings, conversations))
        found[name] = recovered(settings, directory / name, conversations if name == "full" else 0)
    (empty_s, empty_cpu_s, empty_mb), (full_s, full_cpu_s, full_mb) = found["empty"], found["full"]
    return {
        "conversations": conversations,
        "changelog_mb": round(size / 1e6, 1),
        "start_empty_s": round(empty_s, 2),
        "start_full_s": round(full_s, 2),
        "recovery_cpu_s": round(full_cpu_s - empty_cpu_s, 2),
        "resident_empty_mb": round(empty_mb, 1),
        "resident_full_mb": round(full_mb, 1),
        "bytes_per_conversation": round((full_mb - empty_mb) * 1e6 / conversations),
    }


def main() -> None:
    """Measure and print one JSON object."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--conversations", type=int, default=100_000)
    options.add_argument("--store", choices=("memory", "rocksdb"), default="memory")
    options.add_argument("--broker", help="host:port; without it noida-db is started")
    chosen = options.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = chosen.broker
        if broker is None:
            server = EmbeddedBroker("noida", data_dir=directory / "broker").start()
            stack.callback(server.stop)
            broker = server.bootstrap
        print(json.dumps(measure(broker, chosen.conversations, chosen.store, directory), indent=1))


if __name__ == "__main__":
    main()
