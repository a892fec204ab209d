"""The folder of one run: which files there are, and how they are written so that a kill leaves none half done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.training.checkpoints import Checkpoints
from streams.inference.repository import GOLDEN_FILE, METADATA_FILE, MODEL_FILE

__all__ = ["GOLDEN_FILE", "METADATA_FILE", "MODEL_FILE", "RunFolder", "RunFolderError"]

_MODELS: Final = "models"


class RunFolderError(ValueError):
    """A folder that is not a run, or not one in the state that is needed; says what to do."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths within a run, and the writing of its files."""

    path: Path

    @property
    def manifest(self) -> Path:
        """The manifest as used, defaults filled in."""
        return self.path / "manifest.yaml"

    @property
    def facts(self) -> Path:
        """State, seed, versions, data and leakage report, best epoch, seconds."""
        return self.path / "run.json"

    @property
    def epochs(self) -> Path:
        """One JSON line an epoch, written as it happens."""
        return self.path / "epochs.jsonl"

    @property
    def metrics(self) -> Path:
        """Quality on the validation part and, where there is one, the test part."""
        return self.path / "metrics.json"

    @property
    def curves(self) -> Path:
        """Losses by epoch as a picture."""
        return self.path / "curves.png"

    @property
    def checkpoints(self) -> Checkpoints:
        """Where the training's state is kept until it is finished."""
        return Checkpoints(self.path / "checkpoint.pt")

    @property
    def lock(self) -> Path:
        """Held by the process that trains here."""
        return self.path / ".lock"

    def model(self, name: str) -> Path:
        """Directory of an exported model: model.onnx, metadata.json, golden.json."""
        return self.path / _MODELS / name

    def models(self) -> list[Path]:
        """Directories of the exported models, by name. Raises RunFolderError where there are none."""
        found = sorted(path.parent for path in (self.path / _MODELS).glob(f"*/{MODEL_FILE}"))
        if not found:
            raise RunFolderError(f"{self.path}: no {_MODELS}/*/{MODEL_FILE}: not a run that has finished")
        return found

    def unknown(self) -> Iterator[Path]:
        """Files and directories that are not a run's."""
        own = {
            self.manifest,
            self.facts,
            self.epochs,
            self.metrics,
            self.curves,
            self.checkpoints.path,
            self.lock,
        }
        yield from (
            path for path in self.path.iterdir() if path not in own and not path.name.endswith(".new")
        )

    def clear(self) -> None:
        """Throw the run away: its own files, and nothing else that somebody has put beside them."""
        for path in (
            self.facts,
            self.manifest,
            self.epochs,
            self.metrics,
            self.curves,
            self.checkpoints.path,
        ):
            path.unlink(missing_ok=True)
        for model in (self.path / _MODELS).glob("*"):
            for name in (MODEL_FILE, METADATA_FILE, GOLDEN_FILE):
                (model / name).unlink(missing_ok=True)
            if not any(model.iterdir()):
                model.rmdir()

    def read_facts(self) -> dict[str, Any] | None:
        """What run.json says; None where there is none. Raises RunFolderError where it is not one."""
        try:
            found = json.loads(self.facts.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise RunFolderError(
                f"{self.facts}: not JSON: {error}; remove it, or give another --out"
            ) from error
        if not isinstance(found, dict) or found.get("state") not in {"running", "finished"}:
            raise RunFolderError(
                f'{self.facts}: no run: "state" must be running or finished; give another --out'
            )
        return found

    def write_json(self, path: Path, body: Mapping[str, Any]) -> None:
        """Replace a file of this run by indented JSON."""
        self.write(path, json.dumps(body, indent=1, ensure_ascii=False) + "\n")

    def write(self, path: Path, text: str) -> None:
        """Replace a file of this run, all of it or nothing."""
        new = path.with_name(f".{path.name}.new")
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
