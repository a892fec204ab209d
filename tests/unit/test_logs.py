"""Log lines: JSON, masked, once per interval, and no DEBUG records built by libraries."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from aiokafka.protocol.admin import SaslAuthenticateRequest_v1

from streams.logs import JsonFormatter, OncePerInterval, TextFormatter, set_up


def record(
    message: str, *args: object, name: str = "streams.x", level: int = logging.ERROR
) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, message, args, None)


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.disable(logging.NOTSET)


def test_a_line_is_json_with_personal_data_masked() -> None:
    line = json.loads(JsonFormatter().format(record("call %s or a@example.com", "090-1234-5678")))
    assert line["level"] == "error"
    assert line["logger"] == "streams.x"
    assert line["at"].endswith("Z")
    assert "090" not in line["message"]
    assert "example.com" not in line["message"]


def test_a_traceback_is_masked_too() -> None:
    try:
        raise ValueError("090-1234-5678")
    except ValueError as error:
        failed = record("it broke")
        failed.exc_info = (ValueError, error, error.__traceback__)
    line = json.loads(JsonFormatter().format(failed))
    assert "ValueError" in line["traceback"]
    assert "090" not in line["traceback"]
    assert "090" not in TextFormatter().format(failed)


def test_a_librarys_line_comes_once_per_interval_and_ours_always() -> None:
    now = 0.0
    once = OncePerInterval(10, clock=lambda: now)
    library = record("no connection to %s", "k", name="aiokafka.conn")
    assert [once.filter(library) for _ in range(3)] == [True, False, False]
    assert once.filter(record("another line", name="aiokafka.conn"))
    assert all(once.filter(record("ours")) for _ in range(3))
    now = 10.0
    assert once.filter(library)


def test_set_up_leaves_no_debug_to_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("info", as_json=True)
    logging.getLogger("aiokafka.consumer").debug("costly")
    assert not logging.getLogger("aiokafka.consumer").isEnabledFor(logging.DEBUG)
    logging.getLogger("streams.worker").info("up")
    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == ["up"]
    set_up("debug", as_json=False)
    logging.disable(logging.NOTSET)
    logging.getLogger("streams.worker").debug("fine")
    assert "DEBUG   streams.worker: fine" in capsys.readouterr().err


def test_debug_does_not_show_the_wire(capsys: pytest.CaptureFixture[str]) -> None:
    """aiokafka writes every request and record there: SASL's PLAIN is the password itself."""
    login = SaslAuthenticateRequest_v1(b"\0sekisho\0hunter2")
    assert "hunter2" in str(login)
    set_up("debug", as_json=True)
    logging.getLogger("aiokafka.conn").debug("Request to %s:%d %d: %s", "kafka", 9092, 2, login)
    logging.getLogger("aiokafka.producer.producer").debug("Sending (key=%s value=%s) to %s", "k", "v", "t")
    logging.getLogger("aiokafka.client").debug("seen")
    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == ["seen"]
