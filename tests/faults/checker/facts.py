"""What stands in the topics, boiled down into a database on disk, so that a million events need little memory."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests.faults.arithmetic import NUMBER_HEADER, POISON_HEADER
from tests.faults.checker.oracle import Oracle, Turn
from tests.faults.checker.records import TopicRecord

SCHEMA: Final = """
create table source (topic, part, off, number, poison, ident, conv, sent_us, at_ms, writer, status, ended, content,
  words, title_letters, picture, primary key (topic, part, off)) without rowid;
create table window (part, off, ids, writers, words, primary key (part, off)) without rowid;
create table output (topic, part, off, out_topic, out_part, out_off);
create table prediction (topic, part, off, subject, content, ids, scores, rules, alerts, ruleset, policy, event_at,
  notes, digest);
create table letter (topic, part, off, reason);
create table alert (domain, part, off, at_ms, alert_id, ident, revision, rules, models, ruleset, policy, lasting,
  digest);
"""
INDICES: Final = """
create index outputs on output (topic, part, off);
create index predictions on prediction (topic, part, off);
create index letters on letter (topic, part, off);
create index idents on source (ident);
create index alerts on alert (alert_id);
"""

WRITERS: Final = {"seller": 1, "buyer": 2}
STATUSES: Final = (
    "waiting_for_payment", "waiting_for_shipping", "shipped", "waiting_for_rating", "completed", "cancelled",
)  # fmt: skip
ENDED: Final = ("completed", "cancelled")
INPUTS: Final = ("messages", "listings")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Unreadable(ValueError):
    """A record of an output topic is not what the contract says; the message says which and why."""


class Facts:
    """The database. `words` are the marker words to look for in texts."""

    def __init__(self, path: Path, words: Sequence[str]) -> None:
        self.database = sqlite3.connect(path)
        self.database.executescript("pragma synchronous = off; pragma journal_mode = off;" + SCHEMA)
        self._words = words

    def take(self, records: Iterable[TopicRecord]) -> int:
        """Read records of any of the topics; how many. Raises Unreadable."""
        count = 0
        for record in records:
            count += 1
            try:
                self._take(record)
            except (KeyError, TypeError, ValueError) as error:
                raise Unreadable(f"{record.topic}-{record.partition}@{record.offset}: {error!r}") from error
        self.database.commit()
        return count

    def index(self) -> None:
        """To be called when all records are in."""
        self.database.executescript(INDICES)

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def work_out_windows(self, *, idle_ms: float, ended_ms: float) -> None:
        """Ask the oracle about every message."""
        for (part,) in self.database.execute(
            "select distinct part from source where topic = 'messages'"
        ).fetchall():
            oracle = Oracle(idle_ms=idle_ms, ended_ms=ended_ms)
            rows = self.database.execute(
                "select off, ident, conv, sent_us, at_ms, writer, ended, content, words from source"
                " where topic = 'messages' and part = ? and poison is null order by off",
                (part,),
            )
            self.database.executemany(
                "insert into window values (?, ?, ?, ?, ?)", (_window(oracle, part, row) for row in rows)
            )
        self.database.commit()

    def _take(self, record: TopicRecord) -> None:
        if record.topic in INPUTS:
            self._insert("source", self._source(record))
        elif record.topic == "predictions":
            self._prediction(record)
        elif record.topic == "deadletter":
            place = (record.header("sekisho.topic"), *map(int, (
                record.header("sekisho.partition") or "", record.header("sekisho.offset") or ""
            )))  # fmt: skip
            self._insert("letter", (*self._source_place(place), record.header("sekisho.reason")))
            self._output(self._source_place(place), record)
        elif record.topic == "rescore":
            body = json.loads(record.value or b"")
            self._output(self._source_place((body["topic"], body["partition"], body["offset"])), record)
        elif record.topic.startswith("alerts."):
            self._alert(record)
        else:
            raise ValueError("a topic that nobody asked for")

    def _source(self, record: TopicRecord) -> tuple[Any, ...]:
        number, poison = record.header(NUMBER_HEADER), record.header(POISON_HEADER)
        place = (record.topic, record.partition, record.offset, int(number or 0), poison)
        if poison is not None:
            return (*place, None, None, None, record.at_ms, *[None] * 7)
        body = json.loads(record.value or b"")
        if record.topic == "listings":
            said = f"{body['title']}\n{body.get('description', '')}"
            return (
                *place, body["listing_id"], None, None, record.at_ms, None, None, None, _digest(body),
                self._words_in(said), len(body["title"]), int(bool(body.get("images"))),
            )  # fmt: skip
        status = body.get("status")
        return (
            *place, body["message_id"], body["transaction_id"], _microseconds(body["sent_at"]), record.at_ms,
            WRITERS[body["writer"]], STATUSES.index(status) + 1 if status in STATUSES else 0, int(status in ENDED),
            _digest(body["text"]), self._words_in(body["text"]), None, None,
        )  # fmt: skip

    def _prediction(self, record: TopicRecord) -> None:
        body = json.loads(record.value or b"")
        where = body["source"]
        place = self._source_place((where["topic"], where["partition"], where["offset"]))
        shown = body["input"]
        ids = (
            [m["message_id"] for m in shown["messages"]]
            if "messages" in shown
            else [shown["listing"]["listing_id"]]
        )
        lasting = {name: value for name, value in body.items() if name != "scored_at"}
        self._insert("prediction", (
            *place, _text(body["subject"]), body["content"], _text(ids), _text(body["scores"]),
            _text(sorted((rule["rule_id"], rule["mode"]) for rule in body["rules"])), _text(body["alerts"]),
            body["ruleset"], body["policy"], body["event_at"], _text(body["notes"]), _digest(lasting),
        ))  # fmt: skip
        self._output(place, record)

    def _alert(self, record: TopicRecord) -> None:
        body = json.loads(record.value or b"")
        domain = record.topic.removeprefix("alerts.")
        if body["domain"] != domain:
            raise ValueError(f"an alert of {body['domain']}")
        subject = body["subject"]
        rules = sorted(e["rule_id"] for e in body["evidence"] if e["by"] == "rule")
        models = sorted(
            (e["model"], int(e["version"]), e["score"], e["threshold"])
            for e in body["evidence"]
            if e["by"] == "model"
        )
        lasting = {name: body[name] for name in ("subject", "event_at", "context", "domain")}
        changing = {name: value for name, value in body.items() if name not in ("raised_at", "revision")}
        self._insert("alert", (
            domain, record.partition, record.offset, record.at_ms, body["alert_id"],
            subject.get("message_id") or subject["listing_id"], body["revision"], _text(rules), _text(models),
            body["ruleset"], body["policy"], _digest(lasting), _digest(changing),
        ))  # fmt: skip

    def _output(self, place: tuple[str, int, int], record: TopicRecord) -> None:
        self._insert("output", (*place, record.topic, record.partition, record.offset))

    def _source_place(self, place: tuple[Any, ...]) -> tuple[str, int, int]:
        """The topic is stated with its prefix, whatever that is."""
        topic, partition, offset = place
        return str(topic).rsplit(".", 1)[-1], int(partition), int(offset)

    def _words_in(self, text: str) -> str:
        return " ".join(word for word in self._words if word in text)

    def _insert(self, table: str, row: Sequence[Any]) -> None:
        self.database.execute(f"insert into {table} values ({', '.join('?' * len(row))})", row)


def _window(oracle: Oracle, part: int, row: tuple[Any, ...]) -> tuple[Any, ...]:
    off, ident, conv, sent_us, at_ms, writer, ended, content, words = row
    turn = Turn(off, ident, sent_us, at_ms, writer, bool(ended), content, frozenset(words.split()))
    window = oracle.window(conv, turn)
    together = sorted(frozenset().union(*(t.words for t in window)))
    return part, off, _text([t.message_id for t in window]), sum(t.writer for t in window), " ".join(together)


def _microseconds(stated: str) -> int:
    return (datetime.fromisoformat(stated) - _EPOCH) // timedelta(microseconds=1)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _digest(value: object) -> str:
    return hashlib.sha256(_text(value).encode("utf-8", "surrogatepass")).hexdigest()[:24]
