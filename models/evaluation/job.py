"""One evaluation from files to findings: reads the rows, scores them with one model or two, computes."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from models.data.datasets import Embed, ListingSet, MessageSet
from models.data.examples import ExampleError
from models.data.rule_hits import RuleHits
from models.data.splits import Split
from models.evaluation.deployable import Deployable
from models.evaluation.findings import Findings, Material, Options, find, resamples_of
from models.evaluation.gates import HAS_IMAGE, Attribute, binary_attribute
from models.evaluation.intervals import Floats
from models.evaluation.rows import Questions, Rows, Wanted, read_rows, source_of
from models.evaluation.scoring import score
from models.evaluation.subject import Examples, Shown, Subject
from streams.features.masking import masked_excerpt

#: Parts that a model's weights, best epoch or threshold come from, as metadata and data directories name them.
_LEARNT_FROM: Final = frozenset({"train", "training", "valid", "validation", "selection", "threshold"})
_SHOWN: Final = 5
#: Of a conversation its end: the label speaks of the last message.
_SHOWN_LETTERS: Final = 160


@dataclass(frozen=True, slots=True)
class RulesAsked:
    """A rule set's active rules of the domain; `words` says which set."""

    hits: RuleHits
    words: str
    active: int


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be evaluated. `data` is what `--data` named; the manifest's `data` lies under it."""

    model: Deployable
    data: Path
    part: Wanted
    options: Options
    label: str | None = None
    champion: Deployable | None = None
    rules: RulesAsked | None = None

    @property
    def directory(self) -> Path:
        """Where the rows are: under `data` what the run's manifest says, where there is such a directory."""
        manifest = self.model.manifest
        below = None if manifest is None or manifest.data is None else self.data / manifest.data
        return below if below is not None and below.is_dir() else self.data


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The outcome, ready to be written down."""

    subject: Subject
    findings: Findings
    options: Options
    examples: Examples


def run(
    job: Job,
    embed: Embed,
    now: datetime,
    *,
    stage: Callable[[str, int], None] = lambda _name, _total: None,
    advance: Callable[[int], None] = lambda _: None,
) -> Evaluated:
    """Read, score, compute. `stage` is told what begins and how many steps it has, `advance` of every step.

    Raises ExampleError for data that cannot be used, ValueError for a model file or options that cannot.
    """
    label = job.label or job.model.label
    manifest = job.model.manifest
    source = source_of(job.directory, job.part, Split() if manifest is None else manifest.split)
    stage("reading", source.count())
    questions = Questions(
        label,
        rules=None if job.rules is None else job.rules.hits,
        domain=job.model.domain,
        attribute=_attribute(job),
        recorded_by=None if job.champion is None else job.champion.title,
    )
    rows = read_rows(source, job.model.kind, questions, embed, advance=advance)
    recorded = _recorded(rows) if job.champion is not None else None
    left_out = 0
    if recorded is not None and np.isnan(recorded).any():
        rows, left_out = _with_recorded(rows, recorded, job)
        recorded = recorded[~np.isnan(recorded)]
    stage("scoring", len(rows.facts))
    scored = score(job.model.file, rows.features, advance=advance)
    champion: Floats | None = recorded
    if job.champion is not None:
        stage("scoring with the champion", len(rows.facts))
        rescored = score(job.champion.file, rows.features, advance=advance).scores
        champion = rescored if recorded is None else recorded
        how = _champion_words(job.champion, recorded, rescored)
    has_image = rows.has_image
    attribute = None
    if job.options.by is not None:
        attribute = (
            has_image.astype(np.float32)
            if job.options.by == HAS_IMAGE
            else np.array([one.attribute for one in rows.facts], np.float32)
        )
    material = Material(
        truth=rows.truth,
        true_labels=rows.true_labels,
        scores=scored.scores,
        groups=rows.groups,
        champion=champion,
        rule_alerts=None if job.rules is None else np.array([one.rule_alert for one in rows.facts], np.bool_),
        gates=scored.gates,
        has_image=has_image,
        attribute=attribute,
    )
    stage("resampling", resamples_of(material, job.options))
    findings = find(material, job.options, advance)
    part_of = job.model.part_of(rows.features.fingerprint)
    files = {path.name: _sha256(path) for path in source.files}
    subject = Subject(
        model=job.model.title,
        domain=job.model.domain,
        label=label,
        kind=job.model.kind,
        model_sha256=_sha256(job.model.file),
        data=source.words,
        files=files,
        fingerprint=rows.features.fingerprint,
        rows=len(rows.facts),
        unlabelled=rows.unlabelled,
        groups=len(np.unique(material.groups)),
        evaluated_at=now.strftime("%Y-%m-%d %H:%M UTC"),
        part_of=part_of,
        learnt_from=part_of in _LEARNT_FROM
        or (not job.data.is_file() and job.part in _LEARNT_FROM)
        or (source.assigned is None and not job.model.learnt_files.isdisjoint(files.values())),
        rules=None if job.rules is None else job.rules.words,
        active_rules=0 if job.rules is None else job.rules.active,
        champion=None if job.champion is None else job.champion.title,
        champion_sha256=None if job.champion is None else _sha256(job.champion.file),
        champion_scores=None if job.champion is None else how,
        left_out=left_out,
        versions={"Python": platform.python_version()}
        | {name: version(name) for name in ("numpy", "onnxruntime")},
    )
    return Evaluated(subject, findings, job.options, disagreements(rows, scored.scores))


def disagreements(rows: Rows, scores: Floats, shown: int = _SHOWN) -> Examples:
    """The rows at which label and score disagree most, their words masked and cut."""
    truth = rows.truth
    high = [place for place in np.argsort(-scores, kind="stable") if truth[place] == 0][:shown]
    low = [place for place in np.argsort(scores, kind="stable") if truth[place] == 1][:shown]

    def row(place: int) -> Shown:
        facts = rows.facts[place]
        text = " ".join(masked_excerpt(facts.text, 0, len(facts.text)).split())
        cut = text if len(text) <= _SHOWN_LETTERS else "…" + text[-_SHOWN_LETTERS:]
        file, _, line = facts.place.rpartition(":")
        return Shown(f"{Path(file).name}:{line}" if file else facts.place, float(scores[place]), cut)

    return Examples(tuple(map(row, high)), tuple(map(row, low)))


def _attribute(job: Job) -> Attribute | None:
    by = job.options.by
    if by is None:
        return None
    if job.model.kind != "listing":
        raise ValueError(f"--by {by}: gate weights are of listing models; {job.model.title} scores messages")
    return None if by == HAS_IMAGE else binary_attribute(by)


def _recorded(rows: Rows) -> Floats | None:
    """Recorded scores, NaN where a row has none; None where no row has one."""
    found = np.array([np.nan if one.recorded is None else one.recorded for one in rows.facts], np.float64)
    return None if np.isnan(found).all() else found


def _with_recorded(rows: Rows, recorded: Floats, job: Job) -> tuple[Rows, int]:
    """Only the rows that the champion scored when they were live."""
    kept = np.flatnonzero(~np.isnan(recorded))
    features = rows.features
    chosen: MessageSet | ListingSet
    if isinstance(features, MessageSet):
        chosen = MessageSet(tuple(features.features[i] for i in kept), {}, features.fingerprint)
    else:
        chosen = ListingSet(tuple(features.features[i] for i in kept), {}, features.fingerprint)
    left = Rows(chosen, tuple(rows.facts[i] for i in kept), rows.unlabelled)
    assert job.champion is not None
    if not 0 < left.truth.sum() < len(kept):
        raise ExampleError(
            f"only {len(kept):,} labelled rows carry a recorded score of {job.champion.title}, and they are all of one "
            "class: nothing can be compared"
        )
    return left, len(rows.facts) - len(kept)


def _champion_words(champion: Deployable, recorded: Floats | None, rescored: Floats) -> str:
    if recorded is None:
        return f"given now by its file (no row carries a recorded score of {champion.title})"
    away = np.abs(recorded - rescored)
    return (
        f"those recorded when the events were live; its file, asked again now, differs by {np.median(away):.4f} in the "
        f"median and by more than 0.01 on {float(np.mean(away > 0.01)):.1%} of the rows"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
