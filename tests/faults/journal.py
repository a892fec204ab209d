"""What happened during a campaign, in the order of its times: faults, restarts, samples of offsets (one JSON line each)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """Appends entries to a file; each has its time in seconds since 1970 and what it speaks of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def note(self, what: str, **fields: Any) -> float:
        """Write an entry; its time."""
        at_s = time.time()
        self._file.write(
            json.dumps({"at_s": round(at_s, 3), "what": what, **fields}, ensure_ascii=False) + "\n"
        )
        return at_s

    def close(self) -> None:
        """Write what is left."""
        self._file.close()


def entries(path: Path, what: str) -> Iterator[dict[str, Any]]:
    """The entries of one kind, oldest first."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            if entry["what"] == what:
                yield entry
