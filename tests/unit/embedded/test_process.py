"""Against real child processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from streams.embedded import child
from streams.embedded.process import EmbeddedServerError, ServerProcess, free_ports
from streams.embedded.shared_memory import regions_of_group, remove_regions


def server(tmp_path: Path, code: str, **options) -> ServerProcess:
    death = options.pop("death_signal", signal.SIGTERM)
    return ServerProcess(
        "the test server",
        [sys.executable, "-c", code],
        log_file=tmp_path / "logs" / "server.log",
        death_signal=death,
    )


def wait_for_line(process: ServerProcess, text: str) -> None:
    deadline = time.monotonic() + 20
    while text not in process.log_tail():
        assert time.monotonic() < deadline, process.log_tail()
        time.sleep(0.01)


SLEEP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
PARENT = (
    "import subprocess, sys, time; "
    "c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print('child', c.pid, flush=True); time.sleep(600)"
)


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def test_it_is_stopped_by_sigterm_and_says_so(tmp_path: Path):
    process = server(tmp_path, SLEEP)
    process.start(os.environ)
    wait_for_line(process, "up")
    assert process.running
    assert process.exit_status is None
    assert process.stop(grace_s=20) == -signal.SIGTERM
    assert not process.running
    assert "was ended by SIGTERM" in str(process.died())


def test_one_that_does_not_listen_is_killed(tmp_path: Path):
    process = server(tmp_path, STUBBORN)
    process.start(os.environ)
    wait_for_line(process, "up")
    assert process.stop(grace_s=0.1) == -signal.SIGKILL


def test_a_frozen_one_can_be_stopped(tmp_path: Path):
    process = server(tmp_path, SLEEP)
    process.start(os.environ)
    wait_for_line(process, "up")
    os.kill(process.pid, signal.SIGSTOP)
    assert process.stop(grace_s=20) == -signal.SIGTERM


def test_its_children_go_with_it(tmp_path: Path):
    process = server(tmp_path, PARENT)
    process.start(os.environ)
    wait_for_line(process, "child")
    grandchild = int(process.log_tail().split()[-1])
    os.kill(process.pid, signal.SIGKILL)
    process.kill()
    assert gone(grandchild)
    process.kill()  # a second time does nothing


def test_its_last_words_are_in_the_error_but_not_those_of_earlier_runs(tmp_path: Path):
    for word in ("first", "second"):
        process = server(tmp_path, f"import sys; sys.exit('no room for the {word}')")
        process.start(os.environ)
        process.stop(grace_s=20) if gone(process.pid) else None
    message = str(process.died())
    assert message.startswith("the test server ended with status 1; its log, ")
    assert message.endswith("no room for the second")
    assert "first" not in message


def test_it_is_started_once(tmp_path: Path):
    process = server(tmp_path, SLEEP)
    assert not process.running
    with pytest.raises(EmbeddedServerError, match="was not started"):
        _ = process.pid
    process.start(os.environ)
    try:
        with pytest.raises(EmbeddedServerError, match="is running already"):
            process.start(os.environ)
    finally:
        process.kill()


def test_a_program_that_is_not_there(tmp_path: Path):
    process = ServerProcess(
        "the test server", ["/no/such/program"], log_file=tmp_path / "log", death_signal=signal.SIGTERM
    )
    process.start(os.environ)
    assert gone(process.pid)
    process.kill()
    assert "cannot execute /no/such/program: No such file or directory" in str(process.died())


def test_it_dies_with_its_launcher(tmp_path: Path):
    launcher = f"""
import os, signal, time
from pathlib import Path
from streams.embedded.process import ServerProcess
p = ServerProcess("s", [{sys.executable!r}, "-c", {SLEEP!r}], log_file=Path({str(tmp_path / "log")!r}),
                  death_signal=signal.SIGKILL)
p.start(os.environ)
while "up" not in p.log_tail():
    time.sleep(0.01)
print(p.pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", launcher], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    assert gone(pid)


def test_a_launcher_that_ended_too_early_is_noticed(tmp_path: Path):
    # Between fork and prctl the parent may die; the signal would then never come.
    done = subprocess.run(
        [sys.executable, child.__file__, "1", "15", sys.executable, "-c", "print('ran')"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "the launcher ended" in done.stderr
    assert "ran" not in done.stdout


def test_free_ports_are_free_and_different():
    ports = free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_regions_are_found_by_command_line_and_removed():
    name = f"sekisho_test_shm_region_{os.getpid()}"
    region = Path("/dev/shm") / name
    region.write_bytes(b"x")
    holder = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)", name], start_new_session=True
    )
    try:
        deadline = time.monotonic() + 20
        while regions_of_group(holder.pid) != {name}:
            assert time.monotonic() < deadline
        remove_regions({name})
        assert not region.exists()
        remove_regions({name})  # gone already: nothing to do
    finally:
        holder.kill()
        holder.wait()
    assert regions_of_group(holder.pid) == set()
