"""Writes what happens in a run as it happens: its state, and a line an epoch."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any, Final

from models.runs.folder import RunFolder
from models.training.course import Epoch

_PACKAGES: Final = (
    "sekisho", "torch", "numpy", "onnx", "onnxruntime", "lightgbm", "scikit-learn", "transformers"
)  # fmt: skip


def versions() -> dict[str, str]:
    """Of everything that decides what weights come out."""
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


@dataclass(slots=True)
class Recorder:
    """run.json and epochs.jsonl of one run. `facts` is the whole of run.json."""

    folder: RunFolder
    facts: dict[str, Any]
    epochs: list[Epoch] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    _known: dict[int, float] = field(default_factory=dict)
    _since: float = 0.0

    def begin(self, *, resumed: bool) -> None:
        """Say that the run is under way. What a killed run noted of its epochs is kept if `resumed`."""
        self._known = self._seconds_by_epoch() if resumed else {}
        if not resumed:
            self.folder.write(self.folder.epochs, "")
        self.facts["resumed"] = self.facts.get("resumed", 0) + resumed
        self.write()
        self._since = self.clock()

    def epoch(self, epoch: Epoch) -> None:
        """Note an epoch; one that was noted before the kill is not written twice."""
        self.epochs.append(epoch)
        now = self.clock()
        if epoch.number in self._known:
            return
        self._known[epoch.number] = round(now - self._since, 3)
        self._since = now
        line = json.dumps({**asdict(epoch), "seconds": self._known[epoch.number]})
        with self.folder.epochs.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def write(self, **facts: Any) -> None:  # noqa: ANN401 - JSON
        """Add to run.json."""
        self.facts |= facts
        self.folder.write_json(self.folder.facts, self.facts)

    @property
    def training_s(self) -> float:
        """Seconds of all epochs, those before a kill included."""
        return round(sum(self._known.values()), 3)

    def _seconds_by_epoch(self) -> dict[int, float]:
        """Of the complete lines; a line that the kill has cut short is removed."""
        text = self.folder.epochs.read_text(encoding="utf-8") if self.folder.epochs.exists() else ""
        whole = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
        lines: list[Mapping[str, Any]] = [json.loads(line) for line in whole]
        self.folder.write(self.folder.epochs, "".join(whole))
        return {int(line["number"]): float(line["seconds"]) for line in lines}
