"""The subcommands of `sekisho rules`: check rule files, run their tests, explain what fires on an event."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from streams.diagnostics import Issue, errors
from streams.events import decode_listing, decode_message
from streams.policy import POLICY_FILE
from streams.rule_engine import Explanation, RuleSet, ScannedTurn
from streams.rule_engine.rule import MODES, Fact
from streams.rulebook.check import Bundle
from streams.rulebook.child import check_in_child
from streams.rulebook.files import ACCEPTED_FILE, Snapshot, SourceFile, read_source, snapshot, take_snapshot
from streams.screening import listing_facts, message_facts
from streams.settings import Settings

#: What the event of `explain` is called in messages; it is one that no marketplace gives.
_MESSAGE_ID = "the message"


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def check(paths: tuple[Path, ...], *, as_json: bool) -> None:
    """Check rule files and domains.yaml, and run the tests in the rules. Exits with 2 if there is an error.

    PATHS are files or directories; without any, SEKISHO_RULES_DIR. A file is checked with the domains.yaml beside it.

    Example: sekisho rules check rules/ --json
    """
    found = _snapshot(paths)
    bundle = asyncio.run(check_in_child(found.files))
    wrong = errors(bundle.issues)
    if as_json:
        click.echo(json.dumps(_report(found, bundle), ensure_ascii=False))
    else:
        for issue in bundle.issues:
            click.echo(issue.render())
        warnings = len(bundle.issues) - len(wrong)
        click.echo(
            f"{len(bundle.rules)} rules in {len(found.files)} files, {bundle.samples_run} tests: "
            f"{len(wrong)} errors, {warnings} warnings"
        )
    sys.exit(2 if wrong else 0)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
def test(paths: tuple[Path, ...]) -> None:
    """Run the tests in the rules and list them rule by rule. Exits with 1 if one fails, with 2 if the files are wrong.

    Example: sekisho rules test rules/harassment.yaml
    """
    found = _snapshot(paths)
    bundle = asyncio.run(check_in_child(found.files))
    failures = [issue for issue in bundle.issues if issue.code.startswith("test.")]
    wrong = [issue for issue in errors(bundle.issues) if not issue.code.startswith("test.")]
    for issue in wrong or failures:
        click.echo(issue.render())
    if wrong:
        click.echo("the tests were not run: correct the files first")
        sys.exit(2)
    failed = Counter(issue.message.split(":")[0].removeprefix("rule ") for issue in failures)
    for rule in sorted(bundle.rules, key=lambda rule: rule.id):
        state = "off" if rule.mode == "off" else f"{failed[rule.id]} failed" if failed[rule.id] else "passed"
        click.echo(f"{rule.id:<50} {rule.mode:<7} {state}")
    click.echo(f"{bundle.samples_run} tests, {len(failures)} failed")
    sys.exit(1 if failures else 0)


@click.command()
@click.argument("directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
def accept(directory: Path | None) -> None:
    """Confirm a set that drops many rules, which workers refuse otherwise. Writes its hash to the file ACCEPTED.

    Example: sekisho rules accept rules/
    """
    directory = directory or Settings().rules_dir
    found = _snapshot((directory,))
    bundle = asyncio.run(check_in_child(found.files))
    if not bundle.usable:
        raise click.ClickException("the files have errors: run `sekisho rules check` first")
    (directory / ACCEPTED_FILE).write_text(found.digest + "\n", "ascii")
    click.echo(f"accepted {found.digest}: {len(bundle.rules)} rules")


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
    """Show which rules fire on an event and where, and which would but for a condition.

    Example: sekisho rules explain --message "ＬＩＮＥ交換しませんか" --status waiting_for_payment
    """
    if (message is None) == (event is None):
        raise click.UsageError("give --message TEXT or --event FILE")
    bundle = asyncio.run(check_in_child(_snapshot((directory,) if directory else ()).files))
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
        texts, seen = {"text": message}, rules.explain_message([turn], facts, at_us=at_us)
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
    if b'"listing_id"' in raw:
        decoded = decode_listing(raw, key=None, timestamp_us=now_us)
        listing = decoded.event
        texts = {"title": listing.title, "description": listing.description}
        scans = {name: rules.scan(text) for name, text in texts.items()}
        return texts, rules.explain_listing(scans, listing_facts(listing), at_us=decoded.at_us)
    message = decode_message(raw, key=None, timestamp_us=now_us)
    turn = ScannedTurn(message.event.message_id, message.event.writer, rules.scan(message.event.text))
    return {"text": message.event.text}, rules.explain_message(
        [turn], message_facts(message.event), at_us=message.at_us
    )


def _show(one: Explanation, texts: dict[str, str]) -> None:
    hit = one.hit
    verdict = (
        f"does not fire: {', '.join(one.unmet)}"
        if one.unmet
        else "fires" + (" (shadow)" if hit.mode == "shadow" else "")
    )
    click.echo(f"{hit.rule_id}  {hit.domain}  {hit.severity} {hit.score}  {verdict}")
    for span in hit.spans:
        text = texts[span.field]
        before, after = text[max(0, span.start - 30) : span.start], text[span.end : span.end + 30]
        click.echo(
            f"    {span.field} {span.start}-{span.end}: {before}「{text[span.start : span.end]}」{after}"
        )


def _explained(one: Explanation, texts: dict[str, str]) -> dict[str, object]:
    hit = one.hit
    return {
        "rule_id": hit.rule_id,
        "rule_version": hit.rule_version,
        "domain": hit.domain,
        "severity": hit.severity,
        "score": hit.score,
        "mode": hit.mode,
        "fires": not one.unmet,
        "unmet": list(one.unmet),
        "spans": [
            {
                "field": span.field,
                "start": span.start,
                "end": span.end,
                "text": texts[span.field][span.start : span.end],
            }
            for span in hit.spans
        ],
    }


def _report(found: Snapshot, bundle: Bundle) -> dict[str, object]:
    wrong = errors(bundle.issues)
    modes = Counter(rule.mode for rule in bundle.rules)
    return {
        "ok": not wrong,
        "digest": found.digest,
        "files": len(found.files),
        "rules": {mode: modes[mode] for mode in MODES},
        "tests": bundle.samples_run,
        "errors": len(wrong),
        "warnings": len(bundle.issues) - len(wrong),
        "issues": [_issue(issue) for issue in bundle.issues],
    }


def _issue(issue: Issue) -> dict[str, object]:
    return {
        "severity": issue.severity,
        "code": issue.code,
        "message": issue.message,
        "path": issue.path,
        "line": issue.line,
        "column": issue.column,
        "hint": issue.hint,
    }


def _snapshot(paths: Sequence[Path]) -> Snapshot:
    """The files named, each with the domains.yaml beside it."""
    files: dict[str, SourceFile] = {}
    try:
        for path in paths or (Settings().rules_dir,):
            if path.is_dir():
                files |= {file.name: file for file in take_snapshot(path).files}
                continue
            beside = path.with_name(POLICY_FILE)
            for one in (path, beside) if beside.is_file() else (path,):
                files[str(one)] = SourceFile(str(one), read_source(one))
    except OSError as error:
        raise click.ClickException(f"cannot read the rule files: {error}") from error
    if not files:
        raise click.ClickException("there are no rule files here; rule files end in .yaml")
    return snapshot(files.values())
