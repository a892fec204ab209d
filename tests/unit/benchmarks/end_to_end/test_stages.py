"""A sample belongs to the stage that its innermost known frame is of."""

from __future__ import annotations

import pytest

from benchmarks.end_to_end.stages import OTHER, shares, stage_of

_TAKE_IN = "take_in (/x/streams/agents/intake.py:68);message (/x/streams/screening.py:135)"


@pytest.mark.parametrize(
    ("stack", "stage"),
    [
        (
            f"{_TAKE_IN};prepare (/x/streams/features/tokens.py:88);mecab_sparse (libmecab.so)",
            "mask and tokenise",
        ),
        (f"{_TAKE_IN};scan (/x/streams/rule_engine/scan.py:90)", "rules"),
        (_TAKE_IN, "put the case together"),
        (f"{_TAKE_IN};gc_collect_main (libpython3.11.so)", "garbage collection"),
        ("send (/x/streams/kafka/outbox.py:50);send (/v/aiokafka/producer/producer.py:1)", "send to Kafka"),
        ("_run_once (/p/asyncio/base_events.py:1922);observe (/v/prometheus_client/metrics.py:7)", "metrics"),
        ("_run_once (/p/asyncio/base_events.py:1922);epoll_wait (libc.so.6)", "event loop"),
        ("clone (libc.so.6);start_thread (libc.so.6)", OTHER),
    ],
)
def test_stage_of(stack: str, stage: str) -> None:
    assert stage_of(stack) == stage


def test_shares_are_of_all_samples_and_the_largest_comes_first() -> None:
    folded = ["a (/x/faust/agent.py:1) 1", "b (/x/streams/windows.py:3);c 1", f"{_TAKE_IN} 2"]
    found = shares(folded)
    assert found == {"put the case together": 0.5, "Faust": 0.25, "window": 0.25}
    assert next(iter(found)) == "put the case together"


def test_threads_that_wait_have_no_share() -> None:
    loop = "_run_once (/p/asyncio/base_events.py:1922)"
    libc = "(/usr/lib/x86_64-linux-gnu/libc.so.6)"
    waiting = [f"{loop};{leaf} {libc} 9" for leaf in ("epoll_wait", "clock_nanosleep", "0x7ff232ca3f16")]
    assert shares([*waiting, f"{loop};send {libc} 3", f"{_TAKE_IN} 1"]) == {
        "event loop": 0.75,
        "put the case together": 0.25,
    }
