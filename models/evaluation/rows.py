"""Reads the rows to evaluate on: features for the model, and what the report needs to know of each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from models.data.datasets import Embed, ListingSet, MessageSet, listing_set, message_set
from models.data.examples import PARTS, Example, ExampleError, Kind, Part, part_file, place_of, read_examples
from models.data.facts import facts_of
from models.data.rule_hits import RuleHits
from models.data.splits import Split, split_by_time
from models.evaluation.gates import Attribute
from streams.features.tensors import WINDOW
from streams.features.tokens import TextPipeline

Wanted = Part | Literal["all"]
#: Where examples keep what models answered when the events were live: `"scores": {"<model>/<version>": 0.97}`.
RECORDED: Final = "scores"
#: Where generated examples with label noise keep what is true.
TRUTH: Final = "true_labels"


@dataclass(frozen=True, slots=True)
class Source:
    """Files to read, and where one file is split the part of each of its examples."""

    files: tuple[Path, ...]
    words: str
    assigned: Sequence[Part] | None = None
    wanted: Wanted = "all"

    def count(self) -> int:
        """How many examples there are to read, for a progress bar; blank lines count too."""
        if self.assigned is not None:
            return list(self.assigned).count(self.wanted) if self.wanted != "all" else len(self.assigned)
        return sum(map(_count, self.files))

    def examples(self) -> Iterator[Example]:
        """The examples of the wanted part, in order."""
        number = 0
        for path in self.files:
            for example in read_examples(path):
                if self.assigned is None or self.assigned[number] == self.wanted:
                    yield example
                number += 1


@dataclass(frozen=True, slots=True)
class RowFacts:
    """`place` is file and line, `subject` the conversation or listing; `attribute` 1, 0, or NaN where unknown.

    `recorded` is the score that was recorded when the event was live; `true_label` what the label should have been,
    where the example says so, as generated ones with label noise do. `text` is for showing, and must be masked.
    """

    place: str
    subject: str | None
    label: float
    text: str
    rule_alert: bool = False
    attribute: float = float("nan")
    recorded: float | None = None
    true_label: float | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled rows: `features` and `facts` in the same order; `unlabelled` were left out."""

    features: MessageSet | ListingSet
    facts: tuple[RowFacts, ...]
    unlabelled: int

    @property
    def truth(self) -> npt.NDArray[np.float32]:
        """float32 [N] of 0 and 1."""
        return np.array([one.label for one in self.facts], np.float32)

    @property
    def groups(self) -> npt.NDArray[np.int64]:
        """int64 [N]: equal for windows of one conversation; rows that name no subject are on their own."""
        known: dict[object, int] = {}
        return np.array(
            [known.setdefault(one.subject or (number,), len(known)) for number, one in enumerate(self.facts)],
            np.int64,
        )

    @property
    def true_labels(self) -> npt.NDArray[np.float32] | None:
        """float32 [N] of 0 and 1; None unless every row knows the truth."""
        found = [one.true_label for one in self.facts if one.true_label is not None]
        return np.array(found, np.float32) if len(found) == len(self.facts) else None

    @property
    def has_image(self) -> npt.NDArray[np.bool_]:
        """bool [N]: a picture that could be read; False for messages."""
        if isinstance(self.features, MessageSet):
            return np.zeros(len(self.facts), np.bool_)
        return np.array([row.image is not None for row in self.features.features], np.bool_)


@dataclass(frozen=True, slots=True)
class Questions:
    """What to ask of each example beside its features."""

    label: str
    rules: RuleHits | None = None
    domain: str = ""
    attribute: Attribute | None = None
    #: `model/version` whose recorded score is wanted.
    recorded_by: str | None = None


@dataclass(slots=True)
class _Noted:
    questions: Questions
    kind: Kind
    advance: Callable[[int], None]
    facts: list[RowFacts] = field(default_factory=list)
    unlabelled: int = 0
    labels_there: set[str] = field(default_factory=set)

    def passing(self, examples: Iterator[Example]) -> Iterator[Example]:
        """The labelled ones, noted as they pass by."""
        for number, example in enumerate(examples, start=1):
            place = place_of(example, number)
            (checked,) = facts_of([example], self.kind)
            self.labels_there |= checked.labels.keys()
            label = checked.labels.get(self.questions.label)
            self.advance(1)
            if label is None:
                self.unlabelled += 1
                continue
            asked = self.questions
            self.facts.append(
                RowFacts(
                    place=place,
                    subject=checked.subject,
                    label=float(label),
                    text=_shown(example),
                    rule_alert=_alerted(example, asked, place),
                    attribute=_number(asked.attribute(example)) if asked.attribute else float("nan"),
                    recorded=_recorded(example, asked.recorded_by, place) if asked.recorded_by else None,
                    true_label=_true_label(example, asked.label, place),
                )
            )
            yield example


def source_of(data: Path, wanted: Wanted, split: Split) -> Source:
    """What `--data` and `--part` mean: a file is taken whole; of a directory the part's file, or that part of its one
    file `examples.*`, split by time.

    Raises ExampleError where there is nothing of that kind.
    """
    if data.is_file():
        return Source((data,), f"all of {data.name}")
    whole = part_file(data, "examples")
    if whole is not None:
        if wanted == "all":
            return Source((whole,), f"all of {whole.name}")
        kind: Kind = "message" if "messages" in next(read_examples(whole), {}) else "listing"
        assigned = split_by_time(list(facts_of(read_examples(whole), kind)), split)
        return Source((whole,), f"the part {wanted} of {whole.name}, split by time", assigned, wanted)
    parts: tuple[Part, ...] = PARTS if wanted == "all" else (wanted,)
    files = tuple(path for part in parts if (path := part_file(data, part)) is not None)
    if not files:
        there = sorted(path.name for path in data.iterdir() if path.suffix in {".jsonl", ".parquet"})
        raise ExampleError(
            f"{data}: no {parts[-1]}.jsonl or .parquet, and no examples.jsonl or .parquet; "
            + (
                f"there: {', '.join(there)} (--part names a part, and --data may be a file)"
                if there
                else "give the directory that holds them"
            )
        )
    return Source(files, ", ".join(path.name for path in files))


def read_rows(
    source: Source,
    kind: Kind,
    questions: Questions,
    embed: Embed,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> Rows:
    """Read, check and turn into features; `advance` is told of every example read.

    Raises ExampleError with file and line, and where no example has the label or one class is missing.
    """
    noted = _Noted(questions, kind, advance)
    text = TextPipeline()
    passing = noted.passing(source.examples())
    features: MessageSet | ListingSet = (
        message_set(passing, text) if kind == "message" else listing_set(passing, text, embed)
    )
    rows = Rows(features, tuple(noted.facts), noted.unlabelled)
    positives = int(rows.truth.sum()) if rows.facts else 0
    if not rows.facts:
        there = ", ".join(sorted(noted.labels_there)) or "none"
        raise ExampleError(
            f'{source.words}: no example is labelled for "{questions.label}"; labels there: {there}. --label names another'
        )
    if not 0 < positives < len(rows.facts):
        raise ExampleError(
            f'{source.words}: {positives:,} of {len(rows.facts):,} examples are positive for "{questions.label}": '
            "quality needs both classes"
        )
    return rows


def _count(path: Path) -> int:
    if path.suffix == ".parquet":
        import pyarrow.parquet

        return int(pyarrow.parquet.read_metadata(path).num_rows)
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _alerted(example: Example, asked: Questions, place: str) -> bool:
    if asked.rules is None:
        return False
    try:
        return asked.domain in asked.rules.domains(example)
    except msgspec.ValidationError as error:
        raise ExampleError(f"{place}: not a listing: {error}") from error


def _shown(example: Example) -> str:
    """The words that a person would look at first: a listing's title, or the window, since the last message of a
    conversation may be harmless alone.
    """
    if "messages" not in example:
        return str(example["listing"]["title"])
    return " / ".join(f"{message['writer']}: {message['text']}" for message in example["messages"][-WINDOW:])


def _true_label(example: Example, label: str, place: str) -> float | None:
    truth = example.get(TRUTH)
    if truth is None:
        return None
    value = truth.get(label) if isinstance(truth, Mapping) else truth
    if not isinstance(truth, Mapping) or value not in (0, 1, None):
        raise ExampleError(f'{place}: "{TRUTH}" must map labels to 0, 1 or null, not {truth!r}')
    return None if value is None else float(value)


def _recorded(example: Example, name: str, place: str) -> float | None:
    scores = example.get(RECORDED)
    if scores is None:
        return None
    value = scores.get(name) if isinstance(scores, Mapping) else scores
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1
    ):
        raise ExampleError(
            f'{place}: "{RECORDED}" must map "<model>/<version>" to a number within 0..1, not {value!r}'
        )
    return None if value is None else float(value)


def _number(answer: bool | None) -> float:
    return float("nan") if answer is None else float(answer)
