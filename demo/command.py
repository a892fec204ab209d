"""`sekisho demo`: everything on this machine, nothing to set up."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from demo.screen import Screen


@dataclass(frozen=True, slots=True)
class Options:
    """What can be set about a demo."""

    seconds: float
    rate: float
    seed: int
    broker: Literal["tansu", "noida"]
    repository: Path
    rules: Path
    directory: Path


@click.command(epilog="Example: sekisho demo --seconds 30 --rate 100")
@click.option(
    "--seconds", type=click.FloatRange(5), default=30.0, show_default=True, help="how long traffic is sent"
)
@click.option("--rate", type=click.FloatRange(1), default=60.0, show_default=True, help="events per second")
@click.option("--seed", type=int, default=1, show_default=True, help="another number, another marketplace")
@click.option(
    "--broker",
    type=click.Choice(["tansu", "noida"]),
    default="noida",
    show_default=True,
    help="embedded broker",
)
@click.option(
    "--repository", type=click.Path(path_type=Path), default=Path("triton_repo"), help="model repository"
)
@click.option(
    "--rules", type=click.Path(path_type=Path), default=Path("rules"), help="rule files (a copy is used)"
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    default=Path(".sekisho/demo"),
    help="logs and data go here",
)
@click.option("--json", "as_json", is_flag=True, help="end with one line of JSON on standard output")
def command(*, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - click hands over the options by name
    """Run the whole engine here: embedded broker and Triton, the ordinary worker, generated marketplace traffic.

    Alerts appear as they arrive; a rule file is edited on the way; a summary ends it. Exit code 1 when an event is
    unaccounted for or the engine could not be started.
    """
    from rich.console import Console

    from demo.screen import Screen
    from demo.stage import DemoFailedError

    screen = Screen(Console(stderr=True, highlight=False))
    try:
        result = asyncio.run(_perform(screen, Options(**options), as_json=as_json))
    except DemoFailedError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException("interrupted") from None
    sys.exit(0 if result["reconciles"] else 1)


async def _perform(screen: Screen, options: Options, *, as_json: bool) -> dict[str, object]:
    from rich.console import Console

    from demo.performance import Performance
    from demo.stage import set_stage

    screen.say(
        "starting an embedded Kafka broker, an embedded Triton with the shipped models, and one worker"
    )
    async with set_stage(
        broker=options.broker,
        repository=options.repository,
        rules=options.rules,
        directory=options.directory,
    ) as stage:
        screen.say(
            f"ready: Kafka {stage.settings.broker}, Triton {stage.settings.triton}, "
            f"http://127.0.0.1:{stage.settings.web_port}/readyz, logs in {options.directory}"
        )
        screen.say(f"sending {options.rate:g} events/s for {options.seconds:g} s")
        performance = Performance(stage, options.seconds, options.rate, options.seed, on_alert=screen.alert)
        performance.on_edit = lambda path: screen.say(
            f"a moderator saves {path}: a rule for this week's new trick"
        )
        with screen.showing(performance):
            await performance.run()
    result = performance.ledger.summary(seconds=performance.produced_for_s)
    edit = performance.edit
    if edit.written_at_s is not None and edit.first_alert_at_s is not None:
        result["rule_edit_to_first_alert_s"] = round(edit.first_alert_at_s - edit.written_at_s, 2)
    console = Console(stderr=True, highlight=False) if as_json else Console(highlight=False)
    screen.summary(performance, result, console)
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    return result
