"""The books: every record sent against everything that came out, with simple code of its own."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import ConsumerRecord

from tests.faults.checker.verdict import Verdict
from tests.faults.fuzz.oracle import TOLD_NOTES, Reading, documented_reasons, reading
from tests.faults.fuzz.rescore_mutators import claim_of
from tests.faults.fuzz.specimens import CANARY, Specimen

Place = tuple[str, int, int]

OWN_HEADERS: Final = frozenset(
    f"sekisho.{name}" for name in ("reason", "detail", "topic", "partition", "offset", "at", "truncated")
)
#: Topics whose usable records leave no output that names their place, but a count.
COUNTED: Final = ("decisions", "reports")
#: A sentence, the time and the place: longer than this in bytes a detail has grown with the record.
LONGEST_DETAIL: Final = 4_000


@dataclass(slots=True)
class Entry:
    """A record that the broker has acknowledged, and what became of it."""

    mutator: str
    topic: str
    reading: Reading | None
    digest: bytes
    claim: Place | None = None
    outcome: str | None = None
    repeats: int = 0


class Books:
    """Grows while records are sent and outputs read. `prefix` goes before every topic's name."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._sent: dict[Place, Entry] = {}
        self._claims: dict[Place, list[Entry]] = {}
        self._early: list[ConsumerRecord] = []
        self._reasons = documented_reasons()
        self.verdict = Verdict()
        self._waited_for = 0
        self._came = 0
        self._counts_others = True
        #: Outputs that came a second time, alike.
        self.repeated = 0

    def sent(self, mutator: str, specimen: Specimen, place: Place) -> None:
        """The broker has acknowledged this record at this place (topic with prefix)."""
        rescore = specimen.topic == "rescore"
        entry = Entry(
            mutator,
            specimen.topic,
            None if rescore else reading(specimen),
            _digest(specimen.key, specimen.value),
        )
        self._sent[place] = entry
        if rescore:
            entry.claim = claim_of(specimen)
            if entry.claim is not None:
                self._claims.setdefault(entry.claim, []).append(entry)
        self._waited_for += specimen.topic not in COUNTED

    def take(self, records: Iterable[ConsumerRecord]) -> None:
        """Records of the output topics; those of records whose acknowledgement is still under way are kept for later."""
        waiting, self._early = self._early, []
        for record in (*waiting, *records):
            name = record.topic.removeprefix(self._prefix)
            if not (self._prediction(record) if name == "predictions" else self._letter(record)):
                self._early += [record] if self._counts_others else []

    def close(self, *, counted: Mapping[str, int], rejoined: int = 0) -> None:
        """No more will come. `counted` is what the worker says it has counted of the topics of `COUNTED`.

        `rejoined`: how often it had to join its group anew. What was not committed by then comes twice, which is the
        promise (at least once); without that nothing may.
        """
        if self.repeated and not rejoined:
            self.verdict.complain("outputs repeated without a cause", f"{self.repeated} of them")
        for record in self._early:
            self.verdict.complain("an output of nothing that was sent", _where(record))
        usable = dict.fromkeys(COUNTED, 0)
        for place, entry in self._sent.items():
            if entry.outcome is not None:
                continue
            if entry.topic in usable:
                usable[entry.topic] += 1
                entry.outcome = "counted"
                if entry.reading is not None and entry.reading.usable is False:
                    self.verdict.complain(
                        "an unusable record that was taken", f"{place} after {entry.mutator}"
                    )
            else:
                self.verdict.complain("a record without an outcome", f"{place} after {entry.mutator}")
        for topic, left in usable.items():
            said = counted.get(topic, 0)
            if said < left or (said > left and not rejoined):
                self.verdict.complain(topic, f"{left} left no dead letter, {said} were counted")
        self.verdict.counts.update(
            {
                "records sent": len(self._sent),
                "outputs repeated": self.repeated,
                "times the worker joined its group anew": rejoined,
                "predictions": sum(entry.outcome == "prediction" for entry in self._sent.values()),
                **{f"{topic} counted": number for topic, number in usable.items()},
                "dead letters": sum(
                    (entry.outcome or "").startswith("dead letter") for entry in self._sent.values()
                ),
                "records that the contract leaves open": sum(
                    entry.reading is not None and entry.reading.usable is None
                    for entry in self._sent.values()
                ),
            }
        )

    def add(self, later: Books) -> None:
        """Take over the records of another book that is closed."""
        self._sent.update(later._sent)
        self.verdict.counts["records sent"] = len(self._sent)

    def by_mutator(self) -> dict[str, dict[str, int]]:
        """Mutator → outcome → how many."""
        found: dict[str, Counter[str]] = {}
        for entry in self._sent.values():
            found.setdefault(entry.mutator, Counter())[entry.outcome or "none"] += 1
        return {name: dict(sorted(counts.items())) for name, counts in sorted(found.items())}

    def only_from_now(self) -> None:
        """Outputs of records that are not in this book belong to another one."""
        self._counts_others = False

    def left(self, topic: str) -> int:
        """Records of a topic of `COUNTED` of which no dead letter came."""
        return sum(entry.topic == topic and entry.outcome is None for entry in self._sent.values())

    @property
    def unaccounted(self) -> int:
        """Records that must still come out, those aside that are only counted."""
        return self._waited_for - self._came

    def _settle(self, entry: Entry, outcome: str, record: ConsumerRecord) -> None:
        if entry.outcome == outcome:
            self.repeated += 1
            return
        if entry.outcome is not None:
            self.verdict.complain(
                "two outcomes", f"{entry.outcome}, then {outcome} {_where(record)} after {entry.mutator}"
            )
            return
        entry.outcome = outcome
        self._came += entry.topic not in COUNTED

    def _prediction(self, record: ConsumerRecord) -> bool:
        body = json.loads(record.value or b"")
        source = body["source"]
        place = source["topic"], source["partition"], source["offset"]
        entry = self._sent.get(place)
        if entry is None:
            claimed = self._claims.get(place)
            if not claimed:
                return False
            self._settle(
                next((one for one in claimed if one.outcome is None), claimed[0]), "prediction", record
            )
            return True
        self._settle(entry, "prediction", record)
        self._check_prediction(entry, body, _where(record))
        return True

    def _check_prediction(self, entry: Entry, body: dict[str, Any], where: str) -> None:
        found = entry.reading
        if found is None or found.usable is None:
            return
        if not found.usable:
            self.verdict.complain(
                "a prediction of what the schemas refuse",
                f"{where}: {sorted(found.reasons)} after {entry.mutator}",
            )
            return
        subject = body["subject"]
        if found.ident != (subject.get("message_id") or subject.get("listing_id")):
            self.verdict.complain("another subject", f"{where} after {entry.mutator}")
        if found.notes != TOLD_NOTES & set(body["notes"]):
            self.verdict.complain(
                "notes", f"{where}: {body['notes']}, expected {sorted(found.notes)} after {entry.mutator}"
            )

    def _letter(self, record: ConsumerRecord) -> bool:
        own = {name: content for name, content in record.headers if name in OWN_HEADERS}
        try:
            reason, detail = own["sekisho.reason"].decode(), own["sekisho.detail"].decode()
            place = own["sekisho.topic"].decode(), int(own["sekisho.partition"]), int(own["sekisho.offset"])
        except (KeyError, ValueError) as error:
            self.verdict.complain("a dead letter without its reason or place", f"{_where(record)}: {error!r}")
            return True
        entry = self._sent.get(place)
        if entry is None:
            return False
        self._settle(entry, f"dead letter: {reason}", record)
        self.verdict.counts[f"dead letters: {reason}"] += 1
        where = f"{_where(record)}, {reason} ({detail[:100]}) after {entry.mutator}"
        if reason not in self._reasons:
            self.verdict.complain("a reason that is not documented", where)
        if CANARY in detail or len(own["sekisho.detail"]) > LONGEST_DETAIL:
            self.verdict.complain("a detail that holds the record's text", where)
        if "sekisho.truncated" not in own and entry.digest != _digest(record.key, record.value):
            self.verdict.complain("a dead letter with other bytes than the record's", where)
        if entry.reading is not None and reason not in entry.reading.reasons:
            promise = (
                "a usable record put aside"
                if entry.reading.usable
                else "another reason than the contract gives"
            )
            self.verdict.complain(promise, where)
        return True


def _digest(key: bytes | None, value: bytes | None) -> bytes:
    """Of key and value; what is absent counts as empty, because clients send no record that has neither."""
    blake = hashlib.blake2b(digest_size=12)
    for part in (key or b"", value or b""):
        blake.update(len(part).to_bytes(8, "big") + part)
    return blake.digest()


def _where(record: ConsumerRecord) -> str:
    return f"{record.topic}-{record.partition}@{record.offset}"
