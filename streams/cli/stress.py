"""`sekisho stress`: a load test of a running deployment, with a verdict."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from streams.cli.console import load_settings, readable_errors, run_until_stopped, to_stderr, to_stdout
from streams.cli.stress_events import NotRun, drafts_for

if TYPE_CHECKING:
    from rich.console import Console

    from streams.settings import Settings
    from streams.stress.material import Draft
    from streams.stress.progress import Progress
    from streams.stress.run import Limits, Run
    from streams.stress.schedule import Schedule
    from streams.stress.verdict import Goals, Verdict

EXIT_MISSED = 1


@dataclass(frozen=True, slots=True)
class _Order:
    """What the command line asks for; what people read goes to `console`."""

    schedule: Schedule
    goals: Goals
    limits: Limits
    files: tuple[str, ...]
    console: Console


@click.command()
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), required=True, help="Events per second to send."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="For so long.",
)
@click.option(
    "--warm-up-s",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Before that, send for so long without measuring; losses count.",
)
@click.option(
    "--p99-ms",
    type=click.FloatRange(min=0, min_open=True),
    help="Goal: 99 of 100 alerts by rules, and by models, are there so long after their event was due.",
)
@click.option(
    "--rule-p99-ms",
    type=click.FloatRange(min=0, min_open=True),
    help="The same goal for alerts by rules alone.",
)
@click.option(
    "--max-loss",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Goal: so many events and alerts may be missing at the end.",
)
@click.option(
    "--from",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Send the events of this JSONL file, under ids of the run, again and again; may be given several times.",
)
@click.option(
    "--listing-share",
    type=click.FloatRange(0, 1),
    default=0.2,
    show_default=True,
    help="Listings among the built-in events.",
)
@click.option(
    "--arrivals",
    type=click.Choice(["even", "poisson"]),
    default="even",
    show_default=True,
    help="Equal distances, or at random as independent users.",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Another number, other events and times."
)
@click.option(
    "--drain-s",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="Wait at most so long for what is outstanding at the end.",
)
@click.option(
    "--stop-behind",
    "behind_s",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Stop sending when an event waits longer than this, in seconds.",
)
@click.option(
    "--find-max",
    is_flag=True,
    help="Search the highest rate that keeps the goals: double --rate until it fails, then halve the gap.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the result to this JSON file."
)
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object on standard output.")
def command(
    *,
    rate: float,
    seconds: float,
    warm_up_s: float,
    p99_ms: float | None,
    rule_p99_ms: float | None,
    max_loss: int,
    files: tuple[str, ...],
    listing_share: float,
    arrivals: Any,  # noqa: ANN401 - click checked the choice
    seed: int,
    drain_s: float,
    behind_s: float,
    find_max: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Send events at a rate into a running deployment and time what comes of each.

    The events go into its real topics, and their alerts come out of them: every id in both begins with `stress-`
    (docs/stress.md). Exit code 0: every goal was met; 1: one was missed; 2: the test could not be made.

    Example: sekisho stress --rate 200 --seconds 60 --p99-ms 50 --max-loss 0
    """
    from streams.stress.run import Limits
    from streams.stress.schedule import Schedule
    from streams.stress.verdict import Goals

    if out is not None and not out.absolute().parent.is_dir():
        raise click.UsageError(f"--out: {out.parent} is no directory")
    order = _Order(
        Schedule(rate, seconds, warm_up_s, arrivals, seed),
        Goals(p99_ms=p99_ms, rule_p99_ms=rule_p99_ms, max_loss=max_loss),
        Limits(behind_s=behind_s, drain_s=drain_s),
        files,
        to_stderr() if as_json else to_stdout(),
    )
    try:
        settings = load_settings()
    except click.ClickException as error:
        raise NotRun(error.message) from error
    make = drafts_for(settings, files, seed=seed, listing_share=listing_share)
    found = _measured(settings, order, make, find_max=find_max)
    if out is not None:
        out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    if not found["passed"]:
        sys.exit(EXIT_MISSED)


def _measured(
    settings: Settings, order: _Order, make: Callable[[], Iterator[Draft]], *, find_max: bool
) -> dict[str, Any]:
    """Run once, or search; says how it goes and what came of it, and gives the result for programs."""
    from aiokafka.errors import KafkaError

    from streams.stress.schedule import NothingToSend

    work = _search if find_max else _once
    try:
        with readable_errors():
            return run_until_stopped(lambda stop: work(settings, order, make, stop))
    except click.ClickException as error:
        raise NotRun(error.message) from error
    except NothingToSend as error:
        raise NotRun(f"{error}: raise --rate or --seconds") from error
    except KafkaError as error:  # e.g. this user may not read the outputs
        raise NotRun(f"Kafka refuses: {type(error).__name__}: {error}") from error


async def _once(
    settings: Settings, order: _Order, make: Callable[[], Iterator[Draft]], stop: asyncio.Event
) -> dict[str, Any]:
    from streams.stress.maximum import judged
    from streams.stress.report import text

    run = await _run(settings, order.schedule, order.limits, make(), stop)
    found = _result(settings, order, run, order.goals, judged(run, order.goals))
    order.console.print(text(found), markup=False)
    return found


async def _search(
    settings: Settings, order: _Order, make: Callable[[], Iterator[Draft]], stop: asyncio.Event
) -> dict[str, Any]:
    from streams.stress.maximum import find_maximum, goals_of_search

    console = order.console
    goals = goals_of_search(order.goals)
    trials: list[dict[str, Any]] = []

    def tell(run: Run, verdict: Verdict) -> None:
        trials.append(_result(settings, order, run, goals, verdict))
        said = "kept up" if verdict.passed else "; ".join(verdict.complaints)
        console.print(f"{run.schedule.rate:,.0f} events/s: {said}", markup=False)

    highest = await find_maximum(
        order.schedule,
        goals,
        lambda schedule: _run(settings, schedule, order.limits, make(), stop),
        on_trial=tell,
        stopped=stop.is_set,
    )
    passed = highest > 0 and not stop.is_set()
    console.print(
        f"highest rate that keeps the goals: {highest:,.0f} events/s"
        if highest
        else f"no rate tried keeps the goals: begin below {order.schedule.rate:g}",
        style="bold",
    )
    return {"passed": passed, "highest_rate": highest, "trials": trials}


async def _run(
    settings: Settings, schedule: Schedule, limits: Limits, drafts: Iterator[Draft], stop: asyncio.Event
) -> Run:
    from streams.stress.identity import new_run
    from streams.stress.run import run

    name = new_run(datetime.now(UTC), os.urandom(3))
    view = _View()
    try:
        return await run(settings, schedule, drafts, name=name, limits=limits, stop=stop, on_second=view.show)
    finally:
        view.end()


class _View:
    """One line that is written anew each second on a terminal; elsewhere a line every ten seconds."""

    _PLAIN_EVERY_S = 10

    def __init__(self) -> None:
        self._console = to_stderr()
        self._before: Progress | None = None
        self._last_plain_s = 0.0

    def show(self, now: Progress) -> None:
        """Show how the run stands."""
        from streams.stress.progress import line

        text = line(now, self._before)
        self._before = now
        if self._console.is_terminal:
            self._console.file.write(f"\r\x1b[K{text[: self._console.width - 1]}")
            self._console.file.flush()
        elif now.at_s - self._last_plain_s >= self._PLAIN_EVERY_S:
            self._last_plain_s = now.at_s
            self._console.print(text, markup=False)

    def end(self) -> None:
        """Leave the last line standing."""
        if self._console.is_terminal and self._before is not None:
            self._console.file.write("\n")


def _result(settings: Settings, order: _Order, run: Run, goals: Goals, verdict: Verdict) -> dict[str, Any]:
    from streams.stress.machine import surroundings
    from streams.stress.report import result

    source = ", ".join(Path(name).name for name in order.files) or "built in"
    return result(run, goals, verdict, surroundings=surroundings(settings, source=source))
