"""What a run shows: plain lines in a log, a bar on a terminal, the losses on both."""

import io

import pytest
from rich.console import Console

from models.commands.progress import Shown
from models.training.course import Epoch

pytestmark = pytest.mark.train


def shown(*, terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100, highlight=False, color_system=None)
    with Shown(console, "message_x") as progress:
        progress.stage("training")
        progress.advance(4, 4)
        progress.epoch(Epoch(1, 0.6931, 0.5))
        progress.say("note: [odd] brackets stay")
        progress.stage("measuring")
    return file.getvalue()


def test_a_log_gets_plain_lines_and_nothing_else() -> None:
    assert shown(terminal=False) == (
        "message_x: training\n"
        "message_x: epoch 1: training loss 0.6931, validation 0.5000\n"
        "message_x: note: [odd] brackets stay\n"
        "message_x: measuring and exporting\n"
    )


def test_a_terminal_gets_a_bar_and_the_lines_that_stay() -> None:
    said = shown(terminal=True)
    assert "message_x: training" in said
    assert "100%" in said
    assert "epoch 1: training loss 0.6931, validation 0.5000" in said
    assert "[odd]" in said
