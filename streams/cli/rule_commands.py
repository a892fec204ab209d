"""`sekisho rules check`, `test` and `accept`: check rule files and run the tests in them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

import click

from streams.cli.rule_files import junit, snapshot_of
from streams.diagnostics import errors
from streams.rule_engine.rule import MODES
from streams.rulebook.benign import read_benign
from streams.rulebook.check import Bundle
from streams.rulebook.child import check_in_child
from streams.rulebook.files import ACCEPTED_FILE, Snapshot
from streams.settings import Settings


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the findings as JUnit XML, for a CI server.",
)
@click.option(
    "--sample",
    "sample_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Ordinary texts: a text a line, or JSONL of events; a rule that fires on more than 0.5 % of them is warned of.",
)
def check(
    paths: tuple[Path, ...], *, as_json: bool, junit_file: Path | None, sample_file: Path | None
) -> None:
    """Check rule files and domains.yaml, and run the tests in the rules. Exits with 2 if there is an error.

    PATHS are files or directories; without any, SEKISHO_RULES_DIR. A file is checked with the domains.yaml beside it.

    Example: sekisho rules check rules/ --sample ordinary.jsonl
    """
    found = snapshot_of(paths)
    benign = read_benign(sample_file) if sample_file is not None else ()
    bundle = asyncio.run(check_in_child(found.files, benign=benign))
    if junit_file is not None:
        junit_file.write_text(junit(found, bundle), "utf-8")
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
    found = snapshot_of(paths)
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
    found = snapshot_of((directory,))
    bundle = asyncio.run(check_in_child(found.files))
    if not bundle.usable:
        raise click.ClickException("the files have errors: run `sekisho rules check` first")
    (directory / ACCEPTED_FILE).write_text(found.digest + "\n", "ascii")
    click.echo(f"accepted {found.digest}: {len(bundle.rules)} rules")


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
        "issues": [{"severity": issue.severity, **issue.record()} for issue in bundle.issues],
    }
