"""`sekisho rules explain`: which rules fire on an event and where, and what kept others from firing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path

import click

from streams.cli.rule_files import snapshot_of
from streams.diagnostics import errors
from streams.events import BadRecord, decode_listing, decode_message
from streams.rule_engine import Explanation, RuleSet, ScannedTurn, explain_listing, explain_message
from streams.rule_engine.rule import Fact
from streams.rule_engine.underline import underlined
from streams.rulebook.child import check_in_child
from streams.screening import listing_facts, message_facts

#: What the event of `explain` is called in messages; it is one that no marketplace gives.
_MESSAGE_ID = "the message"


@click.command()
@click.option("--message", help="The text of a message.")
@click.option("--status", help="The transaction's status, with --message.")
@click.option(
    "--writer", type=click.Choice(["seller", "buyer"]), default="seller", help="Who wrote it, with --message."
)
@click.option(
    "--event", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A record as JSON."
)
@click.option(
    "--rules", "directory", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The rules."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def explain(
    *,
    message: str | None,
    status: str | None,
    writer: str,
    event: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Show which rules fire on an event and where, and for the near misses which clause failed.

    Example: sekisho rules explain --message "ＬＩＮＥ交換しませんか" --status waiting_for_payment
    """
    if (message is None) == (event is None):
        raise click.UsageError("give --message TEXT or --event FILE")
    bundle = asyncio.run(check_in_child(snapshot_of((directory,) if directory else ()).files))
    if not bundle.usable:
        for issue in errors(bundle.issues):
            click.echo(issue.render(), err=True)
        raise click.ClickException("the rules have errors")
    rules = RuleSet(bundle.rules)
    at_us = time.time_ns() // 1000
    if message is not None:
        facts: dict[str, Fact] = {"writer": writer}
        if status is not None:
            facts["status"] = status
        turn = ScannedTurn(_MESSAGE_ID, writer, rules.scan(message))
        texts, seen = {"text": message}, explain_message(rules, [turn], facts, at_us=at_us)
    else:
        assert event is not None
        texts, seen = _explain_event(rules, event, at_us)
    if as_json:
        click.echo(json.dumps([_explained(one, texts) for one in seen], ensure_ascii=False))
        return
    if not seen:
        click.echo("no rule finds its words here")
    for one in seen:
        _show(one, texts)


def _explain_event(rules: RuleSet, path: Path, now_us: int) -> tuple[dict[str, str], list[Explanation]]:
    raw = path.read_bytes()
    try:
        if b'"listing_id"' in raw:
            decoded = decode_listing(raw, key=None, timestamp_us=now_us)
            texts = {"title": decoded.event.title, "description": decoded.event.description}
            scans = {name: rules.scan(text) for name, text in texts.items()}
            seen = explain_listing(rules, scans, listing_facts(decoded.event), at_us=decoded.at_us)
            return texts, seen
        message = decode_message(raw, key=None, timestamp_us=now_us)
    except BadRecord as error:
        raise click.ClickException(f"{path} is no listing and no message: {error}") from error
    turn = ScannedTurn(message.event.message_id, message.event.writer, rules.scan(message.event.text))
    facts = message_facts(message.event)
    return {"text": message.event.text}, explain_message(rules, [turn], facts, at_us=message.at_us)


def _show(one: Explanation, texts: Mapping[str, str]) -> None:
    rule = one.rule
    if one.fires:
        verdict = "fires" + (" (shadow)" if rule.mode == "shadow" else "")
    else:
        verdict = f"does not fire: {one.missing}"
    click.echo(f"{rule.id}  {rule.domain}  {rule.severity} {rule.score}  {verdict}")
    for name, text in texts.items():
        if places := [(span.start, span.end) for span in one.spans if span.field == name]:
            for line in underlined(text, places):
                click.echo(f"    {line}")


def _explained(one: Explanation, texts: Mapping[str, str]) -> dict[str, object]:
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
        "decided_by": {"clause": deciding.path, "matched": deciding.matched, "reason": deciding.reason},
        "spans": [
            {
                "field": span.field,
                "start": span.start,
                "end": span.end,
                "text": texts[span.field][span.start : span.end],
            }
            for span in one.spans
        ],
    }
