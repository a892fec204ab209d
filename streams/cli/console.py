"""What the commands share at the terminal: settings or a readable refusal, and errors without a traceback.

`sekisho --help` imports every command's module, so these import what is heavy when they run.
"""

from __future__ import annotations

import asyncio
import difflib
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from rich.console import Console

if TYPE_CHECKING:
    from streams.settings import Settings

Result = TypeVar("Result")

PREFIX: Final = "SEKISHO_"
#: Variables that start like a setting and are none: where settings are read from, and what tests, checks and
#: containers read.
NOT_SETTINGS: Final = frozenset(
    {
        "SEKISHO_CONFIG",
        "SEKISHO_SECRETS_DIR",
        "SEKISHO_KAFKA_HOME",
        "SEKISHO_DATA_SETS",
        "SEKISHO_PROMTOOL",
        "SEKISHO_AUDIT",
        "SEKISHO_AUDIT_URL",
    }
)


def to_stdout() -> Console:
    """A console for what the command is asked for; made at call time, so that redirected output is respected."""
    return Console(highlight=False, soft_wrap=True)


def to_stderr() -> Console:
    """A console for everything else: progress, notes, errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def load_settings(**overrides: Any) -> Settings:  # noqa: ANN401 - any setting's type
    """The settings, or a `ClickException` that names each variable that is wrong, never its value."""
    from pydantic import ValidationError

    from streams.settings import Settings

    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = "\n".join(
            f"  {variable(str(problem['loc'][0])) if problem['loc'] else 'settings'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise click.ClickException(f"settings that cannot be used:\n{problems}") from error
    except (FileNotFoundError, ValueError) as error:  # the TOML file is missing, or is not TOML
        raise click.ClickException(str(error)) from error


def variable(field: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{field.upper()}"


def unknown_variables(names: Iterable[str]) -> list[str]:
    """A sentence for each `SEKISHO_*` variable that no setting reads: a typo would otherwise go unnoticed."""
    from streams.settings import Settings

    known = {variable(field) for field in Settings.model_fields}
    sentences = []
    for name in sorted(names):
        if not name.startswith(PREFIX) or name in known or name in NOT_SETTINGS:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        sentences.append(f"{name} is set but is no setting{hint}")
    return sentences


def warn_of_unknown_variables() -> None:
    """Say so on stderr."""
    for sentence in unknown_variables(os.environ):
        to_stderr().print(f"[yellow]warning:[/] {sentence}")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """No log lines on the terminal: what fails comes back as an exception, and the command says it once."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn what an operator can correct into one line on stderr and exit 1."""
    from aiokafka.errors import KafkaTimeoutError

    from streams.kafka.clients import BrokerUnreachableError
    from streams.kafka.feed import NoSuchTopicError
    from streams.kafka.security import SecuritySettingsError

    try:
        with quiet_libraries():
            yield
    except BrokerUnreachableError as error:
        raise click.ClickException(f"{error}\n{error.advice}") from error
    except (NoSuchTopicError, SecuritySettingsError) as error:
        raise click.ClickException(str(error)) from error
    except KafkaTimeoutError as error:
        raise click.ClickException(
            f"Kafka answers, but not in time: {error}. Is it busy? Try again"
        ) from error


def run_until_stopped(work: Callable[[asyncio.Event], Coroutine[Any, Any, Result]]) -> Result:
    """Run a command's coroutine; Ctrl-C and SIGTERM set the event it is given, so that it can end in order."""

    async def main() -> Result:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signal_number, stop.set)
        return await work(stop)

    return asyncio.run(main())
