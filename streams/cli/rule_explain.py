"""`sekisho rules explain`: which rules fire on an event and where, and what kept others from firing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import click

from streams.cli.explained_event import Asked, AskedMessage, NotAnEvent, read_event
from streams.cli.rule_files import snapshot_of
from streams.diagnostics import errors
from streams.events import Writer
from streams.rule_engine import Explanation, RuleSet, Span
from streams.rule_engine.rule import Fact
from streams.rule_engine.underline import underlined
from streams.rulebook.child import check_in_child
from streams.rulebook.unmet import unmet_sentence
from streams.windows import Turn


@click.command()
@click.option(
    "--message",
    "messages",
    multiple=True,
    help="The text of a message; given several times, a conversation of one writer, the newest last.",
)
@click.option("--status", help="The transaction's status, with --message.")
@click.option(
    "--writer", type=click.Choice(["seller", "buyer"]), default="seller", help="Who wrote it, with --message."
)
@click.option(
    "--event",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSON of a listing or a message, or of a conversation: a message with its "earlier" ones, or one a line.',
)
@click.option(
    "--rules", "directory", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The rules."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def explain(
    *,
    messages: tuple[str, ...],
    status: str | None,
    writer: Writer,
    event: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Show which rules fire on an event and where, and for the near misses which clause failed.

    Example: sekisho rules explain --message "ＬＩＮＥ交換しませんか" --status waiting_for_payment
    """
    if bool(messages) == (event is not None):
        raise click.UsageError("give --message TEXT or --event FILE")
    now_us = time.time_ns() // 1000
    asked = _typed(messages, writer, status, now_us) if event is None else _read(event, now_us)
    bundle = asyncio.run(check_in_child(snapshot_of((directory,) if directory else ()).files))
    if not bundle.usable:
        for issue in errors(bundle.issues):
            click.echo(issue.render(), err=True)
        raise click.ClickException("the rules have errors")
    seen = asked.explain(RuleSet(bundle.rules))
    if as_json:
        click.echo(json.dumps([_explained(one, asked) for one in seen], ensure_ascii=False))
        return
    if not seen:
        click.echo("no rule finds its words here")
    for one in seen:
        _show(one, asked)


def _typed(messages: Sequence[str], writer: Writer, status: str | None, now_us: int) -> AskedMessage:
    turns = [Turn(n, f"message[{n}]", now_us, writer, text) for n, text in enumerate(messages)]
    facts: dict[str, Fact] = {"writer": writer}
    if status is not None:
        facts["status"] = status
    return AskedMessage(turns, facts, now_us)


def _read(event: Path, now_us: int) -> Asked:
    try:
        return read_event(event.read_bytes(), now_us)
    except NotAnEvent as error:
        raise click.ClickException(f"{event}: {error}") from error


def _show(one: Explanation, asked: Asked) -> None:
    rule = one.rule
    if one.fires:
        verdict = "fires" + (" (shadow)" if rule.mode == "shadow" else "")
    else:
        verdict = f"does not fire: {'; '.join(_kept_by(one, asked))}"
    click.echo(f"{rule.id}  {rule.domain}  {rule.severity} {rule.score}  {verdict}")
    for where, spans in groupby(one.spans, key=asked.where):
        if where:
            click.echo(f"  {where}:")
        found = list(spans)
        for line in underlined(asked.text_of(found[0]), [(span.start, span.end) for span in found]):
            click.echo(f"    {line}")


def _kept_by(one: Explanation, asked: Asked) -> list[str]:
    """What kept a rule from firing, each as a clause of the rule and what the event has instead."""
    reasons = [unmet_sentence(name, one.rule, asked.facts) for name in one.unmet]
    if not one.clause.matched:
        deciding = one.clause.deciding()
        reasons.append(f"{deciding.path}: {deciding.reason}")
    return reasons


def _explained(one: Explanation, asked: Asked) -> dict[str, object]:
    rule = one.rule
    deciding = one.clause.deciding()
    return {
        "rule_id": rule.id,
        "rule_version": one.rule_version,
        "domain": rule.domain,
        "severity": rule.severity,
        "score": rule.score,
        "mode": rule.mode,
        "fires": one.fires,
        "unmet": list(one.unmet),
        "kept_by": _kept_by(one, asked),
        "decided_by": {"clause": deciding.path, "matched": deciding.matched, "reason": deciding.reason},
        "spans": [_span(span, asked) for span in one.spans],
    }


def _span(span: Span, asked: Asked) -> dict[str, object]:
    return {
        "message_id": span.message_id,
        "field": span.field,
        "start": span.start,
        "end": span.end,
        "text": asked.text_of(span)[span.start : span.end],
    }
