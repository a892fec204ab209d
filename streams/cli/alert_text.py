"""An alert as a person reads it in a terminal: what, how sure, and the words that gave it away (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.text import Text

from streams.cli.printable import printable

_SEVERITY_STYLE: Final = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
}
_FOUND_STYLE: Final = "bold black on yellow"
#: Longest text shown of one message or field; the record itself holds all of it.
_SHOWN_CHARACTERS: Final = 300

Record = Mapping[str, Any]


def alert_text(alert: Record) -> Text:
    """Several lines without a final line break: a head, one line per evidence, and the judged text.

    Reads records of any version leniently: a field that is missing or of another type is left out.
    """
    text = Text()
    text.append_text(_head(alert))
    for item in _records(alert.get("evidence")):
        text.append("\n  ")
        text.append_text(_evidence(item))
    for line in _judged(alert):
        text.append("\n  ")
        text.append_text(line)
    return text


def _head(alert: Record) -> Text:
    severity = _word(alert.get("severity")) or "?"
    head = Text()
    head.append(_word(alert.get("raised_at")) or "?", style="dim")
    head.append(" ")
    head.append(severity, style=_SEVERITY_STYLE.get(severity, ""))
    head.append(" ")
    head.append(_word(alert.get("domain")) or "?", style="bold")
    subject = alert.get("subject")
    if isinstance(subject, Mapping):
        ids = [f"{name} {_word(value)}" for name, value in subject.items() if name != "type"]
        head.append(f"  {', '.join(ids)}", style="dim")
    revision = alert.get("revision")
    if isinstance(revision, int) and revision > 1:
        head.append(f"  revision {revision}", style="dim")
    return head


def _evidence(item: Record) -> Text:
    if item.get("by") == "model":
        return _model(item)
    if item.get("by") == "patrol":
        return _patrol(item)
    if item.get("by") == "report":
        return _report(item)
    line = Text("rule  ", style="magenta")
    line.append(_word(item.get("rule_id")) or "?")
    words = [f"“{_word(span.get('text'), 60)}”" for span in _records(item.get("spans")) if span.get("text")]
    if words:
        line.append(f"  {' '.join(words)}")
    return line


def _patrol(item: Record) -> Text:
    line = Text("patrol ", style="cyan")
    share = item.get("share")
    line.append(
        f"drawn at random, {share:.4%} of what nothing flagged" if isinstance(share, float) else "drawn"
    )
    return line


def _report(item: Record) -> Text:
    line = Text("report ", style="green")
    line.append(_word(item.get("report_id")) or "?")
    if reporter := _word(item.get("reporter_id")):
        line.append(f"  by {reporter}", style="dim")
    if reason := _word(item.get("reason"), 200):
        line.append(f"  “{reason}”")
    return line


def _model(item: Record) -> Text:
    line = Text("model ", style="blue")
    line.append(f"{_word(item.get('model')) or '?'} v{_word(item.get('version')) or '?'}  ")
    score, threshold = item.get("score"), item.get("threshold")
    if isinstance(score, int | float):
        line.append(f"{score:.3f}", style="bold")
        if isinstance(threshold, int | float):
            line.append(f" ≥ {threshold:g}" if score >= threshold else f" < {threshold:g}")
    else:
        line.append("not scored")
    gate = item.get("gate")
    if isinstance(gate, Mapping):
        weights = [
            f"{_word(name)} {value:.0%}" for name, value in gate.items() if isinstance(value, int | float)
        ]
        line.append(f"  gate {', '.join(weights)}", style="dim")
    if item.get("role") == "challenger":
        line.append("  challenger", style="dim")
    return line


def _judged(alert: Record) -> Iterator[Text]:
    """The last message, or the listing's fields, with what the rules found set off; other turns only where found in."""
    context = list(_records(alert.get("context")))
    found = _excerpts(alert)
    subject = alert.get("subject")
    if isinstance(subject, Mapping) and subject.get("type") == "listing":
        for item in context[:1]:
            for field in ("title", "description"):
                if item.get(field):
                    yield _highlighted(f"{field}: ", str(item[field]), found.get(field, ()))
        return
    for position, item in enumerate(context):
        words = found.get(_word(item.get("message_id")), ())
        if words or position == len(context) - 1:
            yield _highlighted(f"{_word(item.get('writer')) or '?'}: ", str(item.get("text", "")), words)


def _excerpts(alert: Record) -> dict[str, list[str]]:
    """The words that rules fired on, by message id, for listings by field."""
    found: dict[str, list[str]] = {}
    for item in _records(alert.get("evidence")):
        for span in _records(item.get("spans")):
            where = _word(span.get("message_id")) or _word(span.get("field"))
            if span.get("text"):
                found.setdefault(where, []).append(str(span["text"]))
    return found


def _highlighted(label: str, shown: str, words: Sequence[str]) -> Text:
    """The spans' offsets speak of the original, the context is masked: so the words are looked for."""
    line = printable(shown)
    ranges = [(start, start + len(word)) for word in map(printable, words) if (start := line.find(word)) >= 0]
    cut = _cut_around(line, min(ranges, default=(0, 0))[0])
    text = Text(label, style="dim")
    body = Text(line, style="")
    for start, end in ranges:
        body.stylize(_FOUND_STYLE, start, end)
    if cut.start > 0:
        text.append("…")
    text.append_text(body[cut.start : cut.stop])
    if cut.stop < len(line):
        text.append("…")
    return text


def _cut_around(line: str, position: int) -> slice:
    """The part of a long line to show: its beginning, or from a little before the first finding."""
    if len(line) <= _SHOWN_CHARACTERS or position < _SHOWN_CHARACTERS // 2:
        return slice(0, min(len(line), _SHOWN_CHARACTERS))
    start = position - _SHOWN_CHARACTERS // 4
    return slice(start, min(len(line), start + _SHOWN_CHARACTERS))


def _records(value: object) -> Iterator[Record]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))


def _word(value: object, limit: int = 120) -> str:
    return "" if value is None else printable(str(value), limit)
