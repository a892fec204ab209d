"""What the archive takes of a processor and of memory, without Kafka.

OMP_NUM_THREADS=1 python -m benchmarks.archive_cost
"""

from __future__ import annotations

import json
import random
import resource
import tempfile
import time
from pathlib import Path

from streams.alerts import ModelEvidence, Screened, message_subject, prediction_record
from streams.archive.rotation import Kept, Rotation
from streams.archive.sink import Sink
from streams.archive.target import LocalTarget
from streams.events import Message, Position

RECORDS, PARTITIONS, BATCH = 240_000, 12, 2_000
NOON_MS = 1_795_262_400_000
WORDS = [
    "発送",
    "しました",
    "よろしく",
    "お願いします",
    "値下げ",
    "可能",
    "ですか",
    "ありがとう",
    "ございます",
    "LINE",
    "で",
    "話し",
]


def prediction(number: int, chance: random.Random) -> Kept:
    """A prediction of a full window of five messages with one score, some 1.3 kB."""
    texts = ["".join(chance.choices(WORDS, k=8)) for _ in range(5)]
    message = Message(
        message_id=f"m{number}", transaction_id=f"t{number}", writer="buyer", text=texts[-1], status="shipped"
    )
    turns = [
        {"message_id": f"m{number}-{place}", "writer": "buyer", "text": text}
        for place, text in enumerate(texts)
    ]
    shown = {"status": "shipped", "messages": turns}
    at_us = NOON_MS * 1000
    screened = Screened(
        message_subject(message), Position("messages", 0, number), at_us, (), (), shown, "r" * 16, "p" * 16
    )
    score = ModelEvidence("harassment", "message_harassment", 1, "champion", 0.9, chance.random())
    body = prediction_record(screened, [score], alerts=[], notes=(), now_us=at_us)
    return Kept(number, NOON_MS, b"t%d" % number, json.dumps(body, ensure_ascii=False).encode())


def main() -> None:
    """Archive made-up predictions into a temporary folder and print what it took."""
    chance = random.Random(3)
    with tempfile.TemporaryDirectory() as folder:
        sink = Sink(LocalTarget(Path(folder)), Rotation(), time.monotonic)
        for partition in range(PARTITIONS):
            sink.opened("predictions", "predictions", partition, begins=0, ends=RECORDS)
        busy_s, read_bytes = 0.0, 0
        for start in range(0, RECORDS, BATCH):
            batch = [prediction(number, chance) for number in range(start, start + BATCH)]
            read_bytes += sum(len(record.value or b"") for record in batch)
            began = time.process_time()
            sink.take("predictions", start // BATCH % PARTITIONS, batch)
            busy_s += time.process_time() - began
        began = time.process_time()
        sink.close_all()
        busy_s += time.process_time() - began
        written = sink.tallies["predictions"]
    print(f"{RECORDS:,} predictions of {read_bytes / RECORDS:,.0f} bytes, {PARTITIONS} partitions")
    print(f"{RECORDS / busy_s:,.0f} records in a second of one core")
    print(f"{written.files} files, {written.file_bytes / RECORDS:,.0f} bytes a record")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB of memory at most")


if __name__ == "__main__":
    main()
