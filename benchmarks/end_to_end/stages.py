"""Where the worker's processor time goes, by stage: samples of its stacks by py-spy while it works off a backlog."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

#: Samples a second: 10 s give 2,000, so that a stage of a twentieth is known to about a tenth of itself.
_RATE = 200
_WRITE_S = 120.0

#: Stage and parts of the source paths that belong to it. The frame nearest to the leaf that any of them names decides,
#: so time inside a library counts for the stage that the library is for, wherever it was called from.
STAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("garbage collection", ("gc_collect",)),
    ("decode", ("streams/events.py",)),
    ("window", ("streams/windows.py", "streams/agents/window_")),
    ("rules", ("streams/rule_engine/", "ahocorasick", "re2/", "/_re2")),
    ("mask and tokenise", ("streams/features/", "fugashi")),
    ("put the case together", ("streams/screening.py", "streams/agents/messages.py", "streams/agents/intake.py")),
    ("ask Triton: tensors and requests", ("streams/inference/", "streams/agents/scoring.py", "tritonclient/")),
    ("ask Triton: gRPC", ("grpc/", "cygrpc", "google/protobuf")),
    ("conclude", ("streams/conclusion.py", "streams/alerts.py")),
    ("write JSON, batches, order", ("streams/agents/screening_lane.py", "streams/agents/lane.py", "orjson")),
    ("send to Kafka", ("streams/kafka/outbox.py", "aiokafka/producer", "aiokafka/record")),
    ("fetch and commit", ("aiokafka/consumer", "streams/kafka/", "streams/progress.py", "streams/worker.py")),
    ("Kafka connections", ("aiokafka/",)),
    ("Faust", ("faust/", "mode/")),
    ("metrics", ("prometheus_client/",)),
    ("event loop", ("asyncio/", "selectors.py")),
)  # fmt: skip
OTHER = "elsewhere"
#: Innermost frames of a thread that waits, for the GIL too. py-spy leaves out threads that sleep, but on a busy machine
#: it meets them just woken. The wait on a condition has no symbol in glibc.
_WAITS = re.compile(
    r"^(?:epoll_wait|clock_nanosleep|pthread_cond_\w+|futex\w*|poll|select|0x[0-9a-f]+) \([^)]*libc[.\-\d]*\.?so"
)


def stage_of(stack: str) -> str:
    """The stage of one folded stack, outermost frame first, frames separated by semicolons."""
    for frame in reversed(stack.split(";")):
        for stage, parts in STAGES:
            if any(part in frame for part in parts):
                return stage
    return OTHER


def shares(folded: Iterable[str]) -> dict[str, float]:
    """The share of each stage in the samples (lines of `stack count`) of threads that do not wait, largest first."""
    counts: Counter[str] = Counter()
    for line in folded:
        stack, _, count = line.rpartition(" ")
        if not _WAITS.match(stack.rpartition(";")[2]):
            counts[stage_of(stack)] += int(count)
    total = sum(counts.values())
    return {stage: count / total for stage, count in counts.most_common()}


class Profile:
    """Samples of a process from `start` to `stop`, in a file that holds one folded stack a line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, pid: int) -> None:
        """Begin to sample. Raises FileNotFoundError without py-spy (the extra `bench`)."""
        program = Path(sys.executable).with_name("py-spy")
        self._process = subprocess.Popen(
            [
                str(program), "record", "--native", "--rate", str(_RATE), "--duration", "3600", "--format", "raw",
                "--full-filenames", "--pid", str(pid), "--output", str(self.path),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )  # fmt: skip

    def stop(self) -> dict[str, float]:
        """End, and the shares of the stages. Raises RuntimeError when py-spy wrote nothing."""
        if self._process is None:
            raise RuntimeError("the profile was not started: nothing was answered")
        self._process.send_signal(signal.SIGINT)
        _, said = self._process.communicate(timeout=_WRITE_S)
        if not self.path.exists():
            raise RuntimeError(f"py-spy wrote no profile: {said.decode(errors='replace')[-500:]}")
        return shares(self.path.read_text("utf-8", "replace").splitlines())


def available() -> bool:
    """Whether py-spy is installed."""
    return Path(sys.executable).with_name("py-spy").exists()
