"""`sekisho models`: the versions in the repository, what Triton serves of them, and which one decides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from streams.cli.console import load_settings, quiet_libraries, to_stderr
from streams.cli.lazy import LazyGroup
from streams.cli.policy_file import POLICY_FILE, read_policy, rewrite_policy

if TYPE_CHECKING:
    from streams.inference.contracts import ModelVersion
    from streams.inference.triton import ModelState
    from streams.policy import Policy
    from streams.settings import Settings


#: Quantising and sharing belong to the training floor, which is named as text so that nothing here imports it.
COMMANDS = {
    "list": "streams.cli.models:list_command",
    "add": "streams.cli.models:add_command",
    "promote": "streams.cli.models:promote_command",
    "remove": "streams.cli.models:remove_command",
    "backtest": "streams.cli.model_backtest:command",
    "quantise": "models.commands.quantise:command",
    "share": "models.commands.share:command",
}


@click.group(cls=LazyGroup, targets=COMMANDS)
def command() -> None:
    """Show, add, promote, remove and try model versions."""


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def list_command(*, as_json: bool) -> None:
    """List every version: on disk, on Triton, its part in the policy, its tokeniser, threshold and metrics.

    Example: sekisho models list --json
    """
    from streams.inference.repository import RepositoryError, all_versions

    settings = load_settings()
    try:
        on_disk = all_versions(settings.model_repository)
    except RepositoryError as error:
        raise click.ClickException(str(error)) from error
    served, refusal = asyncio.run(_index(settings))
    roles = _roles(read_policy(settings))
    # Triton's index also remembers versions that are gone, as UNLOADING and then UNAVAILABLE.
    versions = sorted({*on_disk, *roles, *(v for v, s in served.items() if s.state in {"READY", "LOADING"})})
    entries = [_entry(settings, version, served, roles, reachable=refusal is None) for version in versions]
    if as_json:
        click.echo(json.dumps({"models": entries, "triton": refusal or "answers"}, ensure_ascii=False))
        return
    for line in table_lines(entries):
        click.echo(line)
    for entry in entries:
        if entry["problem"]:
            problem = f"{entry['model']}/{entry['version']}: {entry['problem']}"
            to_stderr().print(Text(problem, style="red"))
    if refusal:
        to_stderr().print(
            f"[yellow]note:[/] Triton ({settings.triton}) was not asked: {refusal}", soft_wrap=True
        )


@click.command("add")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--version", type=click.IntRange(1), help="Number it gets.  [default: the next one]")
@click.option("--load/--no-load", default=True, help="Have Triton load and check it.")
def add_command(*, directory: Path, version: int | None, load: bool) -> None:
    """Add the version in DIRECTORY (model.onnx, metadata.json, golden.json); it gets no traffic yet.

    Triton serves it beside the others. If it does not load, or answers its golden rows otherwise than when it was
    exported, it is taken out again and what served before serves on.

    Example: sekisho models add build/message_harassment
    """
    from streams.inference import rollout
    from streams.inference.staging import place_version

    settings = load_settings()
    with changing(settings.model_repository):
        if load:
            added = asyncio.run(
                with_client(settings, rollout.add, settings.model_repository, directory, version=version)
            )
        else:
            added = place_version(settings.model_repository, directory, version=version)
    state = "served and checked" if load else "placed, not loaded"
    click.echo(
        f"{added}: {state}; `sekisho models promote {added.model} {added.version}` gives it the traffic"
    )


@click.command("promote")
@click.argument("model")
@click.argument("version", type=click.IntRange(1))
@click.option(
    "--threshold", type=click.FloatRange(0, 1), help="Least score that alerts.  [default: the metadata's]"
)
@click.option(
    "--domain",
    "only",
    help="Make it this domain's champion, whatever model that was, and end its challenger's trial.",
)
def promote_command(*, model: str, version: int, threshold: float | None, only: str | None) -> None:
    """Make VERSION the champion of MODEL in rules/domains.yaml, after its golden rows came out right on Triton.

    Only the champion's version and threshold change in the file, and an entry of the same version as challenger goes;
    running workers take it up as any other change. A domain that has no model yet gets it as its first champion.

    Example: sekisho models promote message_harassment 2 --threshold 0.87
    """
    from streams.inference import rollout
    from streams.inference.contracts import ModelVersion
    from streams.inference.repository import RepositoryError, read_metadata

    settings = load_settings()
    wanted = ModelVersion(model, version)
    try:
        metadata = read_metadata(settings.model_repository / model / str(version))
    except RepositoryError as error:
        raise click.ClickException(str(error)) from error
    chosen = metadata.threshold if threshold is None else threshold
    _, _, domain = model.partition("_")  # the contract's names: message_<domain>, listing_<domain>
    if chosen is None:
        raise click.ClickException(f"{wanted}: its metadata suggests no threshold; give one with --threshold")
    with changing(settings.model_repository):
        problems = asyncio.run(with_client(settings, rollout.verify, settings.model_repository, wanted))
        if problems:
            raise click.ClickException("\n".join([*problems, "nothing was changed"]))
        _write_champion(settings.rules_dir / POLICY_FILE, wanted, chosen, domain, only=only)
    of = f" of {only}" if only else ""
    click.echo(f"{wanted} is the champion{of}, threshold {chosen:g}")


@click.command("remove")
@click.argument("model")
@click.argument("version", type=click.IntRange(1))
@click.option("--now", is_flag=True, help="Do not wait until no worker asks for it any more.")
@click.option("--load/--no-load", default=True, help="Have Triton let go of it first.")
def remove_command(*, model: str, version: int, now: bool, load: bool) -> None:
    """Stop serving VERSION of MODEL and delete it; refused while rules/domains.yaml names it.

    Workers take up a changed policy a little later, so it waits until nothing has asked for the version for two of
    their polls (SEKISHO_RULES_POLL_S). If Triton does not let go of it, nothing is deleted.

    Example: sekisho models remove message_harassment 1
    """
    from streams.inference import rollout
    from streams.inference.contracts import ModelVersion
    from streams.inference.staging import take_out

    settings = load_settings()
    unwanted = ModelVersion(model, version)
    with changing(settings.model_repository):
        if role := _roles(read_policy(settings)).get(unwanted):
            raise click.ClickException(f"{unwanted} is in use ({role}); promote another version first")
        if load:
            idle_s = 0.0 if now else 2 * settings.rules_poll_s
            asyncio.run(
                with_client(settings, rollout.remove, settings.model_repository, unwanted, idle_s=idle_s)
            )
        else:
            take_out(settings.model_repository, unwanted, retire=True)
    click.echo(f"{unwanted} was removed")


@contextmanager
def changing(repository: Path) -> Iterator[None]:
    """Alone with the repository; what is refused inside ends the command with its reasons."""
    from streams.inference.durable import BusyError, sole_writer
    from streams.inference.repository import RepositoryError
    from streams.inference.rollout import RolloutFailed

    try:
        with sole_writer(repository):
            yield
    except OSError as error:
        raise click.ClickException(f"{error.filename or repository}: {error.strerror}") from error
    except (BusyError, RepositoryError, RolloutFailed) as error:
        raise click.ClickException(str(error)) from error


async def with_client(settings: Settings, work: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - passes on
    """Await `work(client, …)` with a client that is closed afterwards."""
    from streams.inference.triton import TritonClient

    try:
        client = TritonClient.from_settings(settings)
    except ValueError as error:  # addresses that cannot be used
        raise click.ClickException(str(error)) from error
    with quiet_libraries():
        async with client:
            return await work(client, *arguments, **options)


async def _index(settings: Settings) -> tuple[dict[ModelVersion, ModelState], str | None]:
    """What Triton says of its versions, or why it says nothing."""
    from streams.inference.contracts import ModelVersion
    from streams.inference.failures import InferenceFailed
    from streams.inference.triton import TritonClient

    try:
        states = await with_client(settings, TritonClient.index)
    except InferenceFailed as error:
        return {}, str(error)
    return {ModelVersion(s.model, s.version): s for s in states if s.version is not None}, None


def _roles(policy: Policy) -> dict[ModelVersion, str]:
    """`champion of harassment`, for each version that the policy names; the image encoder serves all listings."""
    from streams.inference.contracts import ModelVersion
    from streams.inference.scorer import ENCODER

    roles: dict[ModelVersion, list[str]] = {ENCODER: ["encoder"]}
    for domain in policy.domains.values():
        trial = {"beside": "challenger", "shadow": "shadow", "canary": f"canary ({domain.trial.share:g})"}
        for role, ref in (("champion", domain.champion), (trial[domain.trial.mode], domain.challenger)):
            if ref is not None:
                roles.setdefault(ModelVersion(ref.model, ref.version), []).append(f"{role} of {domain.name}")
    return {version: ", ".join(parts) for version, parts in roles.items()}


def _entry(
    settings: Settings,
    version: ModelVersion,
    served: Mapping[ModelVersion, ModelState],
    roles: Mapping[ModelVersion, str],
    *,
    reachable: bool,
) -> dict[str, Any]:
    from streams.inference.repository import RepositoryError, read_metadata

    state = served.get(version)
    problem = state.reason if state else ""
    raw: Mapping[str, Any] = {}
    try:
        raw = read_metadata(settings.model_repository / version.model / str(version.version)).raw
    except RepositoryError as error:
        problem = problem or str(error)
    return {
        "model": version.model,
        "version": version.version,
        "state": state.state if state else ("NOT LOADED" if reachable else "UNKNOWN"),
        "role": roles.get(version),
        "tokenizer": raw.get("tokenizer"),
        "threshold": raw.get("threshold"),
        "metrics": raw.get("metrics"),
        "problem": problem or None,
    }


def table_lines(entries: list[dict[str, Any]]) -> list[str]:
    """The entries in columns as wide as they need to be: a terminal wraps long lines better than rich cuts words."""
    rows = [("model", "version", "state", "part", "threshold", "metrics", "tokeniser")] + [
        (
            entry["model"],
            str(entry["version"]),
            entry["state"],
            entry["role"] or "-",
            "-" if entry["threshold"] is None else f"{entry['threshold']:g}",
            metrics_text(entry["metrics"]),
            entry["tokenizer"] or "-",
        )
        for entry in entries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def metrics_text(metrics: object) -> str:
    """AUROC and average precision of the last part of the data in metadata.json, which is the held-out one."""
    if not isinstance(metrics, Mapping) or not metrics:
        return "-"
    part, values = list(metrics.items())[-1]
    if not isinstance(values, Mapping):
        return "-"
    figures = [
        f"{name} {values[key]:.3f}"
        for name, key in (("AUROC", "auroc"), ("AP", "average_precision"))
        if isinstance(values.get(key), int | float)
    ]
    return f"{part}: {', '.join(figures)}" if figures else "-"


def _write_champion(
    path: Path, version: ModelVersion, threshold: float, domain: str, *, only: str | None
) -> None:
    from streams.inference.promotion import settled, with_champion

    def edited(text: str) -> str:
        if only is not None:
            return settled(text, only, version.model, version.version, threshold)
        return with_champion(text, version.model, version.version, threshold, domain=domain)

    rewrite_policy(path, edited)
