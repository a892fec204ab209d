"""`sekisho doctor`: is everything the engine needs there, and what to do where it is not."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from streams.cli.console import load_settings, quiet_libraries, to_stdout, unknown_variables

if TYPE_CHECKING:
    from streams.policy import Policy
    from streams.settings import Settings

State = Literal["ok", "warning", "wrong"]

#: Longer than the slowest answer of a healthy component (validating a large rule set), short for a person waiting.
PATIENCE_S: Final = 30.0
#: The worker writes little, but a full disk stops the rules' reload and the embedded broker's snapshot.
LITTLE_DISK_BYTES: Final = 1 << 30
NO_DISK_BYTES: Final = 50 << 20

_MARK: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "wrong": ("✗", "bold red")}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found about one area, and what to do unless it is ok."""

    area: str
    state: State
    message: str
    advice: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(*, as_json: bool) -> None:
    """Check settings, rules, dictionary, disk, broker, topics, Triton and models; say what to do about what is wrong.

    Exit 1 when anything is wrong; warnings alone exit 0.

    Example: sekisho doctor
    """
    settings = load_settings()
    with quiet_libraries():
        findings = asyncio.run(examine(settings))
    healthy = all(finding.state != "wrong" for finding in findings)
    if as_json:
        click.echo(json.dumps({"healthy": healthy, "findings": [asdict(finding) for finding in findings]}))
    else:
        _print(findings)
    if not healthy:
        raise SystemExit(1)


async def examine(settings: Settings) -> list[Finding]:
    """Run every check, the slow ones at the same time; never raises for what a check found."""
    findings = [*check_variables(os.environ.keys()), check_disk(settings.data_dir)]
    rules, policy = await _within("rules", _check_rules, settings)
    findings += rules
    rest = await asyncio.gather(
        _within("dictionary", _check_dictionary, settings),
        _within("broker", lambda s: _check_broker(s, policy), settings),
        _within("triton", lambda s: _check_triton(s, policy), settings),
    )
    for found, _ in rest:
        findings += found
    return findings


Checked = tuple[list[Finding], "Policy | None"]


async def _within(area: str, check: Callable[[Settings], Awaitable[Checked]], settings: Settings) -> Checked:
    try:
        return await asyncio.wait_for(check(settings), PATIENCE_S)
    except TimeoutError:
        return [
            Finding(area, "wrong", f"no answer within {PATIENCE_S:.0f} s", "see whether it is overloaded")
        ], None
    except Exception as error:  # noqa: BLE001 - one broken check must not hide what the others found; it is reported
        return [Finding(area, "wrong", f"the check failed: {type(error).__name__}: {error}")], None


def check_variables(names: Iterable[str]) -> list[Finding]:
    """`SEKISHO_*` variables that nothing reads."""
    sentences = unknown_variables(names)
    if not sentences:
        return [Finding("settings", "ok", "every SEKISHO_* variable is a setting")]
    return [
        Finding("settings", "warning", sentence, "`sekisho settings` lists all that are read")
        for sentence in sentences
    ]


def check_disk(directory: Path) -> Finding:
    """Whether the data directory, or the nearest parent that exists, can be written to and has room."""
    place = next(path for path in (directory.absolute(), *directory.absolute().parents) if path.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return Finding(
            "disk",
            "wrong",
            f"{place} cannot be written to",
            "set SEKISHO_DATA_DIR to a directory of this user's",
        )
    free = shutil.disk_usage(place).free
    message = f"{free / (1 << 30):.1f} GiB free for {directory}"
    if free < NO_DISK_BYTES:
        return Finding("disk", "wrong", message, "make room, or set SEKISHO_DATA_DIR to another disk")
    if free < LITTLE_DISK_BYTES:
        return Finding("disk", "warning", message, "make room soon")
    return Finding("disk", "ok", message)


async def _check_rules(settings: Settings) -> Checked:
    from streams.rulebook import LiveRulebook, RulebookRefused

    live = LiveRulebook(settings.rules_dir, poll_s=settings.rules_poll_s)
    try:
        await live.start()
    except RulebookRefused as refused:
        errors = [issue for issue in refused.issues if issue.severity == "error"]
        advice = "correct it; `sekisho rules check` shows the same"
        return [Finding("rules", "wrong", issue.render(), advice) for issue in errors], None
    book = live.current
    await live.stop()
    message = (
        f"rule set {book.rules.version[:12]}, {len(book.policy.domains)} domains in {settings.rules_dir}"
    )
    return [Finding("rules", "ok", message)], book.policy


async def _check_dictionary(settings: Settings) -> Checked:
    from streams.features.tokens import TOKENIZER, TextPipeline

    prepared = await asyncio.to_thread(
        lambda: TextPipeline(mask=settings.pii_mask).prepare("振込先を教えてください")
    )
    if len(prepared.tokens) < 2:
        return [
            Finding(
                "dictionary",
                "wrong",
                f"{TOKENIZER} does not split Japanese text",
                "install the exact versions of constraints.txt again, in a checkout: pip install -c constraints.txt .",
            )
        ], None
    return [Finding("dictionary", "ok", f"{TOKENIZER} splits Japanese text")], None


async def _check_broker(settings: Settings, policy: Policy | None) -> Checked:
    from streams.kafka.clients import BrokerUnreachableError
    from streams.kafka.security import SecuritySettingsError
    from streams.kafka.topics import catalogue, describe

    specs = catalogue(settings, policy.domains if policy else ())
    try:
        differences = await describe(settings, specs)
    except BrokerUnreachableError as error:
        return [Finding("broker", "wrong", str(error), error.advice)], None
    except SecuritySettingsError as error:
        return [
            Finding("broker", "wrong", str(error), "`sekisho settings` shows all SEKISHO_SECURITY_*")
        ], None
    findings = [Finding("broker", "ok", f"{settings.broker} answers ({settings.security_protocol})")]
    missing = [d.topic for d in differences if d.aspect == "topic"]
    if missing:
        names = ", ".join(missing)
        findings.append(Finding("topics", "wrong", f"missing: {names}", "run `sekisho topics create`"))
    partitions = [d for d in differences if d.aspect == "partitions"]
    if partitions:
        findings.append(
            Finding(
                "topics",
                "wrong",
                ", ".join(
                    f"{d.topic} has {d.found} partitions, should have {d.expected}" for d in partitions
                ),
                "the window table needs equal counts: set SEKISHO_PARTITIONS to what is there, or make the topic anew",
            )
        )
    other = {d.topic for d in differences if d.aspect not in {"topic", "partitions"} and not d.unknown}
    if other:
        findings.append(
            Finding(
                "topics",
                "warning",
                f"configured differently: {', '.join(sorted(other))}",
                "`sekisho topics describe` shows how",
            )
        )
    if len(findings) == 1:
        findings.append(Finding("topics", "ok", f"{len(specs)} topics are as they should be"))
    return findings, None


async def _check_triton(settings: Settings, policy: Policy | None) -> Checked:
    from streams.inference.scorer import ModelVersion, Scorer
    from streams.inference.triton import TritonClient

    try:
        client = TritonClient.from_settings(settings)
    except ValueError as error:
        return [Finding("triton", "wrong", str(error), "`sekisho settings` shows all SEKISHO_TRITON*")], None
    try:
        if not await client.live():
            return [
                Finding(
                    "triton",
                    "wrong",
                    f"no Triton server answers at {settings.triton}",
                    "start it, or correct SEKISHO_TRITON (the gRPC port, 8001); until then rules alert alone",
                )
            ], None
        findings = [Finding("triton", "ok", f"{settings.triton} answers")]
        if policy is None:
            unknown = "not compared: without a valid policy it is not known which are wanted"
            return [*findings, Finding("models", "warning", unknown, "correct the rules first")], None
        references = [
            reference
            for domain in policy.domains.values()
            for reference in (domain.champion, domain.challenger)
            if reference is not None
        ]
        wanted = sorted({(reference.model, reference.version) for reference in references})
        sentences = await Scorer(client).check([ModelVersion(model, version) for model, version in wanted])
    finally:
        await client.close()
    advice = "`sekisho models list` shows what is served; correct domains.yaml or the model repository"
    findings += [Finding("models", "wrong", sentence, advice) for sentence in sentences]
    if not sentences:
        findings.append(Finding("models", "ok", f"{len(wanted)} model versions of the policy are served"))
    return findings, None


def _print(findings: list[Finding]) -> None:
    from rich.text import Text

    console = to_stdout()
    for finding in findings:
        mark, style = _MARK[finding.state]
        line = Text(f"{mark} ", style=style)
        line.append(f"{finding.area:<11}")
        line.append(finding.message)
        if finding.advice and finding.state != "ok":
            line.append(f"\n  → {finding.advice}", style="italic")
        console.print(line)
