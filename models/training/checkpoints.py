"""State of a training on disk, so that a killed one goes on where it was."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """One file, replaced as a whole: after a kill it holds the last state that was completely written."""

    path: Path

    def load(self) -> dict[str, Any] | None:
        """What was saved last, on the CPU; None where nothing was. Code in the file is not run."""
        if not self.path.exists():
            return None
        state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file. Tensors, numbers, texts, and lists and dicts of them."""
        new = self.path.with_suffix(".new")
        body = io.BytesIO()
        torch.save(state, body)  # into memory first: of a full disk torch says no more than "unexpected pos"
        with new.open("wb") as file:
            file.write(body.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    def clear(self) -> None:
        """Remove the file, if there is one."""
        self.path.unlink(missing_ok=True)
