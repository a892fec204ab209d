"""`sekisho labels export`: moderators' verdicts and the predictions they judge, as a data set for training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from streams.cli.bar import bar
from streams.cli.console import load_settings, readable_errors, run_until_stopped, to_stderr
from streams.cli.since import Since

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.labels.collecting import Wanted
    from models.labels.joining import Kind
    from models.labels.reading import Read
    from streams.policy import Policy

#: Nothing to write; as the commands' other failures.
_FAILED = 1


@click.group()
def command() -> None:
    """Make training data of what moderators decided."""


@command.command("export")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option("--since", type=Since(), default="30d", show_default=True, help="Events scored from then on.")
@click.option("--until", type=Since(), help="Events scored before that.  [default: now]")
@click.option(
    "--domain", "domains", multiple=True, help="Labels of this domain only; may be given several times."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "parquet"]),
    default="jsonl",
    show_default=True,
)
@click.option(
    "--unflagged",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    help="Events that nothing spoke against, for each that violates: the easy negatives.",
)
@click.option(
    "--contradicted",
    type=click.Choice(["newest", "leave-out"]),
    default="newest",
    show_default=True,
    help="Where verdicts on an alert contradict each other.",
)
@click.option("--validation", type=click.FloatRange(0, 1), default=0.15, show_default=True)
@click.option("--test", type=click.FloatRange(0, 1), default=0.15, show_default=True)
@click.option("--force", is_flag=True, help="Replace an export that is in the folder.")
@click.option("--json", "as_json", is_flag=True, help="Print what labels.json holds.")
def export(  # noqa: PLR0917 - click hands each option in by name
    out: Path,
    since: int,
    until: int | None,
    domains: tuple[str, ...],
    form: Literal["jsonl", "parquet"],
    unflagged: float,
    contradicted: Literal["newest", "leave-out"],
    validation: float,
    test: float,
    force: bool,
    as_json: bool,
) -> None:
    """Join predictions with moderators' newest verdicts into messages/ and listings/ for `sekisho train --data`.

    Texts are masked. The latest examples validate and test. What each example's labels come from stands beside them,
    and labels.json counts what was read, kept and left out. Listings come without their pictures.

    Example: sekisho labels export --since 60d --out labels/november --domain harassment
    """
    from models.data.examples import ExampleError
    from models.data.splits import Split
    from models.labels.export import Export, make
    from models.labels.writing import FolderInUse, check_folder
    from streams.cli.policy_file import read_policy

    settings = load_settings()
    policy = read_policy(settings)
    now = datetime.now(UTC)
    until_us = round(now.timestamp() * 1_000_000) if until is None else until
    if since >= until_us:
        raise click.UsageError("--since must be before --until")
    try:
        split = Split(validation, test)
        check_folder(out, replace=force)
    except (ValueError, FolderInUse) as error:
        raise click.UsageError(str(error)) from error
    wanted = wanted_of(policy, domains, unflagged=unflagged, with_contradicted=contradicted == "newest")
    found = _read(settings, wanted, since, until_us)
    if found is None:
        raise click.ClickException("stopped; nothing was written")
    options = Export(since_us=since, until_us=until_us, made_at=now, split=split, form=form)
    try:
        manifest = make(out, found, wanted, options)
    except ExampleError as error:
        raise click.ClickException(f"{error}\nnothing was written") from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or out}: {error.strerror}") from error
    _tell(manifest, out, as_json=as_json)


def wanted_of(policy: Policy, domains: Sequence[str], *, unflagged: float, with_contradicted: bool) -> Wanted:
    """What is wanted of each kind of event. Raises `UsageError` for a domain that the policy does not know."""
    from models.labels.collecting import KINDS, Wanted

    if unknown := sorted(set(domains) - policy.domains.keys()):
        raise click.UsageError(
            f"no domain {', '.join(unknown)} in domains.yaml; there: {', '.join(policy.domains)}"
        )
    by_kind: dict[Kind, tuple[str, ...]] = {
        kind: tuple(one.name for one in policy.for_kind(kind) if not domains or one.name in domains)
        for kind in KINDS
    }
    return Wanted(by_kind, unflagged, with_contradicted)


def _read(settings: Any, wanted: Wanted, since_us: int, until_us: int) -> Read | None:  # noqa: ANN401 - imported when run
    from models.labels.reading import read

    with readable_errors(), bar(1) as (progress, task):

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        return run_until_stopped(
            lambda stop: read(
                settings, wanted, since_us=since_us, until_us=until_us, stop=stop, advance=advance
            )
        )


def _tell(manifest: Mapping[str, Any], out: Path, *, as_json: bool) -> None:
    from models.labels.telling import as_text, warnings

    written = bool(manifest.get("files"))
    click.echo(json.dumps(manifest, ensure_ascii=False) if as_json else as_text(manifest))
    console = to_stderr()
    for sentence in warnings(manifest):
        console.print(f"note: {sentence}", markup=False, soft_wrap=True)
    if not written:
        raise click.exceptions.Exit(_FAILED)
    console.print(f"written to {out}", markup=False)
