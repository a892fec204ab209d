"""The in-process limit: one Python loop over the messages with ONNX Runtime beside it, no Kafka, no Triton.

    python -m benchmarks.end_to_end.in_process --messages FILE --rules DIR --models DIR --out FILE

Started by the benchmark in a process of its own. Nothing that does the same work message by message in Python can be
faster on one core; what a system adds to it is the price of being a system.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from benchmarks.end_to_end.moderation import Answer, Moderation, answer, arrive
from benchmarks.end_to_end.onnx_models import OnnxModels
from benchmarks.end_to_end.workload import Record, read_messages
from streams.windows import Turn, admit


@dataclass(frozen=True, slots=True)
class Timing:
    """Messages answered after the first batch, which warms everything up, and the time they took."""

    messages: int
    seconds: float
    cpu_s: float


def run(
    records: list[Record], moderation: Moderation, models: OnnxModels, *, rows: int
) -> tuple[list[Answer], Timing]:
    """Answer all messages, `rows` at a time, in order."""
    windows: dict[str, tuple[Turn, ...]] = {}
    answers: list[Answer] = []
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    for at in range(0, len(records), rows):
        cases = []
        for offset, record in enumerate(records[at : at + rows], at):
            arrived = arrive(
                "messages", 0, offset, timestamp_us=time.time_ns() // 1000, key=record.key, value=record.value
            )
            kept, window = admit(windows.get(arrived.conversation, ()), arrived.turn, committed=offset)
            windows[arrived.conversation] = kept
            cases.append(moderation.case(arrived, window))
        scores = models.score([case.features for case in cases])  # type: ignore[misc]  # messages have windows
        answers += [answer(case, scored) for case, scored in zip(cases, scores, strict=True)]
        if at == 0:
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
    return answers, Timing(
        max(0, len(records) - rows), time.perf_counter() - began_s, time.process_time() - began_cpu_s
    )


def share_of(records: Sequence[Record], number: int, of: int) -> list[Record]:
    """The messages of one of so many parts, numbered from 1; a conversation is in one of them, as with Kafka's keys."""
    return [record for record in records if crc32(record.key) % of == number - 1]


def main() -> None:
    """Run, then write the answers and the timing: one JSON object a line, the timing first."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("messages", "rules", "models", "out"):
        options.add_argument(f"--{name}", type=Path, required=True)
    options.add_argument("--rows", type=int, default=64, help="messages scored together (SEKISHO_BATCH_ROWS)")
    options.add_argument("--share", default="1/1", help="2/3: only conversations of the second third")
    options.add_argument("--start-at", type=float, default=0.0, help="wait until then, seconds since 1970")
    chosen = options.parse_args()
    number, of = map(int, chosen.share.split("/"))
    records = share_of(read_messages(chosen.messages), number, of)
    moderation = Moderation(chosen.rules)
    models = OnnxModels(chosen.models, moderation.models)
    time.sleep(max(0.0, chosen.start_at - time.time()))
    answers, timing = run(records, moderation, models, rows=chosen.rows)
    with chosen.out.open("wb") as out:
        out.write(
            json.dumps(
                {"messages": timing.messages, "seconds": timing.seconds, "cpu_s": timing.cpu_s}
            ).encode()
            + b"\n"
        )
        for each in answers:
            out.write(b"prediction\t%s\n" % each.prediction)
            for domain, alert in each.alerts:
                out.write(b"alert.%s\t%s\n" % (domain.encode(), alert))


if __name__ == "__main__":
    main()
