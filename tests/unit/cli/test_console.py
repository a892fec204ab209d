from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import click
import pytest
from aiokafka.errors import KafkaTimeoutError

from streams.cli.console import load_settings, readable_errors, run_until_stopped, unknown_variables
from streams.kafka.clients import BrokerUnreachableError
from streams.kafka.feed import NoSuchTopicError
from streams.kafka.security import SecuritySettingsError


def test_every_wrong_setting_is_named_and_no_value_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEKISHO_PARTITIONS", "s3cret")
    monkeypatch.setenv("SEKISHO_TRITON_TIMEOUT_S", "0")

    with pytest.raises(click.ClickException) as refused:
        load_settings()

    assert "SEKISHO_PARTITIONS: Input should be a valid integer" in refused.value.message
    assert "SEKISHO_TRITON_TIMEOUT_S: Input should be greater than 0" in refused.value.message
    assert "s3cret" not in refused.value.message


def test_a_settings_file_that_is_missing_or_broken_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEKISHO_CONFIG", str(tmp_path / "sekisho.toml"))
    with pytest.raises(click.ClickException, match=r"names .*sekisho\.toml, which is not a file"):
        load_settings()

    (tmp_path / "sekisho.toml").write_text("partitions = = 3")
    with pytest.raises(click.ClickException, match="line 1"):
        load_settings()


def test_a_variable_that_no_setting_reads_is_told_with_what_may_be_meant() -> None:
    names = ["SEKISHO_BROKR", "SEKISHO_BROKER", "SEKISHO_CONFIG", "SEKISHO_QQQQQQ", "PATH"]

    assert unknown_variables(names) == [
        "SEKISHO_BROKR is set but is no setting; did you mean SEKISHO_BROKER?",
        "SEKISHO_QQQQQQ is set but is no setting",
    ]


@pytest.mark.parametrize(
    "error", [BrokerUnreachableError, NoSuchTopicError, SecuritySettingsError, KafkaTimeoutError]
)
def test_what_an_operator_can_correct_has_no_traceback(error: type[Exception]) -> None:
    with pytest.raises(click.ClickException, match="start it"), readable_errors():
        raise error("start it")


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), readable_errors():
        raise ZeroDivisionError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_work_end_in_order(number: signal.Signals) -> None:
    async def work(stop: asyncio.Event) -> str:
        os.kill(os.getpid(), number)
        await stop.wait()
        return "ended in order"

    assert run_until_stopped(work) == "ended in order"
