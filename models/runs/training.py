"""One run from beginning to end: survey, features, training, metrics, export; or the rest of one that was killed."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from models.data.datasets import Embed
from models.data.examples import Example
from models.data.rule_hits import RuleHits
from models.evaluation.metrics import Metrics
from models.manifests import Manifest, as_yaml
from models.runs.finishing import finish
from models.runs.folder import RunFolder, RunFolderError
from models.runs.preparing import fingerprints, lost_pictures, prepare, survey
from models.runs.quality import Quality
from models.runs.recorder import Recorder, versions
from models.systems.contract import Context, load_system
from models.training.course import Epoch
from models.training.device import Device

#: Of ten alerts that are all right, the precision may still be as low as 0.72 (Wilson's interval, 95 %).
_FEW_ALERTS: Final = 10
#: What is said of a run that cannot begin: somebody has to change the manifest, the data or the options.
REFUSALS: Final = (ValueError, OSError)


class Listener(Protocol):
    """Who watches a run."""

    def say(self, line: str) -> None:
        """One line for people."""
        ...

    def stage(self, name: str) -> None:
        """Another part of the work has begun; `advance` counts anew."""
        ...

    def advance(self, done: int, total: int) -> None:
        """How far it is."""
        ...

    def epoch(self, epoch: Epoch) -> None:
        """An epoch is over."""
        ...


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is said on the command line. `embed` gives listings' pictures; `started_at` is RFC 3339, for run.json."""

    data: Path
    started_at: str
    embed: Callable[[Path], Embed]
    device: Device = field(default_factory=Device)
    threads: int = 1
    rules: RuleHits | None = None
    strict_split: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run has reached, by model; `already` where it had been finished before."""

    folder: RunFolder
    quality: Mapping[str, Quality]
    already: bool = False

    def lines(self) -> list[str]:
        """For people: what was reached, and what to do next."""
        if self.already:
            return [f"{self.folder.path}: finished before; --force trains it anew"]
        found: list[str] = []
        for name, quality in self.quality.items():
            for part, metrics in quality.natural.items():
                found.append(
                    f"{name}: {part}: AUROC {metrics.auroc:.3f}, average precision {metrics.average_precision:.3f} "
                    f"({metrics.positives:,} of {metrics.examples:,} positive); "
                    f"at {quality.negatives_per_positive:g} negatives a positive: "
                    f"{quality.at_ratio[part].average_precision:.3f}"
                )
                found.append(f"  {_at_threshold(metrics)}")
            found.append(f"  next: sekisho models add {self.folder.model(name)}")
        return found


def _at_threshold(metrics: Metrics) -> str:
    at = metrics.at_threshold
    if at is None:
        return "no threshold reaches the wanted precision on the validation part; give one with sekisho models promote"
    precision = "no alerts" if at.precision is None else f"precision {at.precision:.3f}"
    few = "; too few to trust the threshold" if 0 < at.alerts < _FEW_ALERTS else ""
    return f"from {at.threshold:g} on: {precision}, recall {at.recall:.3f}, alerts: {at.alerts:,}{few}"


def train_run(manifest: Manifest, folder: RunFolder, options: RunOptions, listener: Listener) -> Finished:
    """Train what the manifest says into the folder; a killed run goes on, a finished one is left unless `force`.

    Raises ExampleError for data that cannot be trained on, RunFolderError for a folder that holds something else or
    that another process is training in, ValueError from a system, ArithmeticError for a training that has failed.
    """
    _check_place(folder)
    folder.path.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        before = folder.read_facts()
        if options.force and before is not None:
            folder.clear()
            before = None
        if before is None:
            # Nothing says what a checkpoint without run.json was trained on.
            folder.checkpoints.clear()
        if before is not None and before["state"] == "finished":
            _same(
                folder, before, {"manifest": as_yaml(manifest), "data": fingerprints(manifest, options.data)}
            )
            return Finished(folder, {}, already=True)
        return _train(manifest, folder, before, options, listener)


def _train(
    manifest: Manifest,
    folder: RunFolder,
    before: dict[str, Any] | None,
    options: RunOptions,
    listener: Listener,
) -> Finished:
    listener.stage("reading")
    surveyed = survey(manifest, options.data, rules=options.rules, strict=options.strict_split)
    identity = {
        "manifest": as_yaml(manifest),
        "data": surveyed.fingerprints,
        # Rules decide which negatives are hard, and that which are trained on where a share of them is asked for.
        "rules": options.rules.version
        if options.rules is not None and manifest.sampling.hard_share is not None
        else None,
        "device": str(options.device),
        "threads": options.threads,
        "versions": versions(),
    }
    if before is not None:
        _same(folder, before, identity)
    for line in surveyed.leakage.lines():
        listener.say(f"note: {line}")
    recorder = Recorder(folder, before or {"state": "running", "started_at": options.started_at})
    recorder.facts |= {
        "name": manifest.name,
        "system": manifest.system,
        "seed": manifest.seed,
        "identity": identity,
        "data": surveyed.record(),
        "leakage": surveyed.leakage.record(),
    }
    resumed = folder.checkpoints.path.exists()
    folder.write(folder.manifest, as_yaml(manifest))
    recorder.begin(resumed=resumed)
    if resumed:
        listener.say("going on from the last finished epoch of a run that was cut short")
    listener.stage("features")
    data = options.data if manifest.data is None else options.data / manifest.data
    prepared = prepare(
        surveyed, options.embed(data) if manifest.kind == "listing" else _no_picture, advance=listener.advance
    )
    if (lost := lost_pictures(manifest, prepared.parts.training)) is not None:
        listener.say(f"note: {lost}")
    listener.stage("training")

    def report(epoch: Epoch) -> None:
        recorder.epoch(epoch)
        listener.epoch(epoch)

    context = Context(
        seed=manifest.seed,
        device=options.device,
        report=report,
        advance=listener.advance,
        checkpoints=folder.checkpoints,
        say=listener.say,
    )
    trained = load_system(manifest.system).train(manifest.domains, prepared.parts, manifest, context)
    listener.stage("measuring")
    quality = finish(manifest, folder, prepared, trained, recorder)
    folder.checkpoints.clear()
    return Finished(folder, quality)


def _no_picture(_: Example) -> None:
    """Messages have none."""


def _check_place(folder: RunFolder) -> None:
    if folder.path.exists() and not folder.path.is_dir():
        raise RunFolderError(f"{folder.path}: a file, not a directory for a run")
    if folder.path.is_dir() and not folder.facts.exists() and any(folder.unknown()):
        raise RunFolderError(
            f"{folder.path}: holds files but is no run; give --out a new directory or an empty one"
        )


def _same(folder: RunFolder, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    began = before.get("identity", {})
    for name, value in now.items():
        if began.get(name) != value:
            raise RunFolderError(
                f"{folder.path}: holds a run with another {name}: {_difference(began.get(name), value)}. Give another "
                "--out, or --force to throw that run away"
            )


def _difference(began: Any, now: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(began, str) and isinstance(now, str) and "\n" in now:
        old, new = began.splitlines(), now.splitlines()
        lost = [line.strip() for line in old if line not in new]
        came = [line.strip() for line in new if line not in old]
        return f"{'; '.join(lost) or 'nothing'} there, {'; '.join(came) or 'nothing'} now"
    if isinstance(began, dict) and isinstance(now, dict):
        changed = sorted(name for name in began.keys() | now.keys() if began.get(name) != now.get(name))
        return ", ".join(f"{name} was {began.get(name)}, is {now.get(name)}" for name in changed)
    return f"{began} there, {now} now"


@contextmanager
def _alone(folder: RunFolder) -> Iterator[None]:
    """Hold the folder's lock. The system lets go of it when the process ends, however it ends."""
    with folder.lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunFolderError(f"{folder.path}: another process is training there") from error
        yield
