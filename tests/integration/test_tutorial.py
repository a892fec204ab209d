"""The tutorial of docs/models.md, followed to the letter: every file written, every command run, in its order."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "models.md"
_BLOCK = re.compile(
    r"(?:<!-- (?P<what>file|append|background): (?P<name>\S+) -->\n)?```(?P<language>\w+)\n(?P<body>.*?)```\n",
    re.DOTALL,
)
#: Free ports instead of the defaults, so that the test disturbs nothing that runs.
FREE_PORTS = [
    "--broker-port",
    "0",
    "--triton-port",
    "0",
    "--triton-http-port",
    "0",
    "--triton-metrics-port",
    "0",
]


@dataclass(frozen=True)
class Step:
    what: str
    name: str
    body: str


def steps() -> list[Step]:
    """What a reader does, in order. Blocks without a marker that are not for the terminal only show something."""
    tutorial, _, _ = PAGE.read_text(encoding="utf-8").partition("\n# Reference\n")
    found = []
    for block in _BLOCK.finditer(tutorial):
        if block["what"]:
            found.append(Step(block["what"], block["name"], block["body"]))
        elif block["language"] == "console":
            found.append(Step("run", "", block["body"]))
    return found


class Reader:
    """Someone with a checkout and three terminals."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SEKISHO_")},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SEKISHO_WEB_PORT": "0",
        }
        self.terminals: list[subprocess.Popen[str]] = []

    def run(self, command: str) -> str:
        done = subprocess.run(  # noqa: PLW1510 - the assertion below says more
            command,
            shell=True,
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    def leave_running(self, command: list[str]) -> subprocess.Popen[str]:
        log = (self.checkout / f"{len(self.terminals)}.log").open("w")
        process = subprocess.Popen(
            command, cwd=self.checkout, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        self.terminals.append(process)
        return process

    def bring_up(self, command: str) -> None:
        process = self.leave_running([*command.split(), *FREE_PORTS])
        assert process.stdout is not None
        lines: Queue[str] = Queue()
        Thread(target=lambda: [lines.put(line) for line in process.stdout], daemon=True).start()
        deadline = time.monotonic() + 90
        while not {"SEKISHO_BROKER", "SEKISHO_TRITON"} <= self.environment.keys():
            assert time.monotonic() < deadline, (self.checkout / "0.log").read_text()
            try:
                line = lines.get(timeout=1)
            except Empty:
                continue
            name, _, value = line.strip().removeprefix("export ").partition("=")
            self.environment[name] = value.strip("'\"")

    def close(self) -> None:
        for process in reversed(self.terminals):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    for name in ("rules", "triton_repo"):
        shutil.copytree(ROOT / name, tmp_path / name)
    one = Reader(tmp_path)
    yield one
    one.close()


def test_the_page_has_steps() -> None:
    kinds = [step.what for step in steps()]
    assert kinds.count("background") == 2
    assert kinds.count("file") == 2
    assert kinds.count("run") >= 7


def test_a_new_domain_in_an_afternoon(reader: Reader) -> None:
    said = ""
    for step in steps():
        if step.what == "file":
            (reader.checkout / step.name).write_text(step.body, encoding="utf-8")
        elif step.what == "append":
            with (reader.checkout / step.name).open("a", encoding="utf-8") as file:
                file.write(step.body)
        else:
            for line in step.body.splitlines():
                command = line.removeprefix("$ ")
                assert command != line, f"not a command: {line}"
                if step.what == "run":
                    said = reader.run(command)
                    _expect(command, said)
                elif step.name == "up":
                    reader.bring_up(command)
                else:
                    reader.leave_running(command.split())
    assert "not worse" in said, said


def _expect(command: str, said: str) -> None:
    """What the page promises of a command, where it promises something."""
    if command.startswith("sekisho evaluate runs/intimidation"):
        assert "report.md" in said
    if command.startswith("sekisho models promote"):
        assert "message_intimidation/1 is the champion" in said
    if command.startswith("sekisho alerts"):
        assert said.count("intimidation") >= 5, said
