"""From the records of `predictions` to the events that become examples, one after another in bounded memory (pure)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

import msgspec

from models.labels.joining import (
    Joined,
    Kind,
    Labels,
    Review,
    join,
    kind_of,
    subject_of,
    unflagged,
    unflagged_order,
)
from models.labels.sampling import LowestHashes
from streams.published import Prediction
from streams.stress.identity import of_a_stress_run

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_decode = msgspec.json.Decoder(Prediction).decode


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export is to hold: domains by kind, and unflagged events for each that violates.

    `with_contradicted`: the newest verdict counts where moderators contradict each other; else such alerts are left
    out.
    """

    domains: Mapping[Kind, Sequence[str]]
    unflagged_per_violation: float = 5.0
    with_contradicted: bool = True


@dataclass(frozen=True, slots=True)
class Chosen:
    """An event that becomes an example; `weight` is of how many events it stands for."""

    prediction: Prediction
    labels: Labels
    weight: float = 1.0


@dataclass(slots=True)
class Counted:
    """What was read, and what became of it. `left_out` is by reason, see `joining.LeftOut`."""

    read: int = 0
    repeated: int = 0
    of_load_tests: int = 0
    of_other_domains: int = 0
    judged: int = 0
    unflagged: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Judged:
    """An event that was judged, as the record that came first of those that repeat it."""

    rank: str
    prediction: Prediction
    labels: Labels


class Collector:
    """Takes predictions in any order and keeps those that become examples.

    In memory are the events that moderators judged, and as many unflagged ones as may be wanted for the violations
    that they found: some 3 kB each.
    """

    def __init__(self, review: Review, wanted: Wanted) -> None:
        self._review = review
        self._wanted = wanted
        violations = sum(found.verdict == "violation" for found in review.judgements.values())
        capacity = math.ceil(violations * wanted.unflagged_per_violation)
        self._judged: dict[Kind, dict[str, _Judged]] = {kind: {} for kind in KINDS}
        self._unflagged: dict[Kind, LowestHashes[Prediction]] = {
            kind: LowestHashes(capacity) for kind in KINDS
        }
        #: Transactions and listings that predictions say were alerted on, beside those that `review` knows.
        self._alerted_keys: dict[Kind, set[str]] = {kind: set() for kind in KINDS}
        self._decided: set[str] = set()
        self.counted: dict[Kind, Counted] = {kind: Counted() for kind in KINDS}
        self.unreadable = 0

    def add(self, value: bytes | None) -> None:
        """One record of `predictions`; one that is none of this contract is counted and left out."""
        try:
            prediction = _decode(value or b"")
        except msgspec.DecodeError:
            self.unreadable += 1
            return
        kind = kind_of(prediction)
        counted = self.counted[kind]
        counted.read += 1
        subject = subject_of(prediction)
        if of_a_stress_run(value for _, value in subject.ids):
            counted.of_load_tests += 1
            return
        if prediction.alerts:
            self._alerted_keys[kind].add(subject.key)
        domains = self._wanted.domains.get(kind, ())
        if not domains:
            counted.of_other_domains += 1
            return
        joined = join(prediction, domains, self._review, with_contradicted=self._wanted.with_contradicted)
        self._decided.update(joined.decided)
        self._sort(kind, prediction, joined)

    def _sort(self, kind: Kind, prediction: Prediction, joined: Joined) -> None:
        counted = self.counted[kind]
        rank = _rank(prediction)
        digest = unflagged_order(subject_of(prediction))
        if joined.labels is not None:
            known = self._judged[kind].get(digest)
            if known is None:
                counted.judged += 1
            else:
                counted.repeated += 1
            if known is None or rank < known.rank:
                self._judged[kind][digest] = _Judged(rank, prediction, joined.labels)
        elif joined.left_out is not None:
            counted.left_out[joined.left_out] += 1
        else:
            counted.unflagged += 1
            self._unflagged[kind].offer(digest, rank, prediction)

    @property
    def undecided(self) -> int:
        """Alerts with a verdict whose event is not among the predictions that were read."""
        return len(self._review.judgements.keys() - self._decided)

    def chosen(self, kind: Kind) -> list[Chosen]:
        """The events of a kind that become examples, by time: all that were judged, and unflagged ones in proportion."""
        judged = [Chosen(one.prediction, one.labels) for one in self._judged[kind].values()]
        violating = sum(1 in one.labels.values.values() for one in judged)
        wanted = math.ceil(violating * self._wanted.unflagged_per_violation)
        quiet = [
            prediction
            for prediction in self._unflagged[kind].lowest_first()
            if subject_of(prediction).key not in self._alerted_keys[kind]
        ][:wanted]
        found = [*judged]
        if quiet:
            labels = unflagged(self._wanted.domains[kind])
            weight = self.counted[kind].unflagged / len(quiet)
            found += [Chosen(prediction, labels, weight) for prediction in quiet]
        return sorted(found, key=lambda one: (one.prediction.event_at, _rank(one.prediction)))


def _rank(prediction: Prediction) -> str:
    """Orders the records of one event that was delivered or sent more than once: the first scored comes first."""
    where = prediction.source
    return f"{prediction.scored_at} {where.topic} {where.partition:09d} {where.offset:020d}"
