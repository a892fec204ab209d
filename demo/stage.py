"""The demo's stage: embedded servers, topics and the ordinary worker as its own process, torn down in order."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from streams.embedded.process import EmbeddedServerError, free_ports
from streams.embedded.servers import embedded_servers
from streams.kafka import topics
from streams.policy import POLICY_FILE, Policy, parse_policy
from streams.settings import Settings

#: The worker joins its group in about a second on noida-db, five on Tansu; a cold disk may need far longer.
READY_TIMEOUT_S = 90.0


class DemoFailedError(RuntimeError):
    """The stage could not be set; the message says what to look at."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running engine: where it is and what it knows."""

    settings: Settings
    policy: Policy
    directory: Path
    worker: subprocess.Popen[bytes]

    @property
    def rules_dir(self) -> Path:
        """The demo's own copy of the rule files, free to edit."""
        return self.settings.rules_dir

    def readiness(self) -> dict[str, Any]:
        """What the worker's /readyz says, or an empty object while it does not answer."""
        return _get(f"http://127.0.0.1:{self.settings.web_port}/readyz")


@asynccontextmanager
async def set_stage(
    *, broker: Literal["tansu", "noida"], repository: Path, rules: Path, directory: Path
) -> AsyncIterator[Stage]:
    """Start broker, Triton and worker, and wait until events would be screened. Raises `DemoFailedError`."""
    _need(repository, "triton_repo, the model repository")
    _need(rules / POLICY_FILE, "the rule files")
    own_rules = await asyncio.to_thread(_fresh_directory, directory, rules)
    policy, issues = parse_policy((own_rules / POLICY_FILE).read_bytes(), str(rules / POLICY_FILE))
    if policy is None:
        raise DemoFailedError("\n".join(issue.render() for issue in issues))
    try:
        with embedded_servers(data_dir=directory, repository=repository, broker=broker) as servers:
            assert servers.broker is not None
            assert servers.triton is not None
            settings = Settings(
                broker=servers.broker.bootstrap,
                triton=servers.triton.grpc_address,
                rules_dir=own_rules,
                rules_poll_s=1.0,
                data_dir=directory,
                web_port=free_ports(1)[0],
                partitions=4,
                topic_prefix="",
            )
            outcomes = await topics.create(settings, topics.catalogue(settings, policy.domains))
            if failed := [o for o in outcomes if o.result == "failed"]:
                raise DemoFailedError("; ".join(f"{o.topic}: {o.detail}" for o in failed))
            worker = _start_worker(settings, directory / "worker.log")
            try:
                stage = Stage(settings, policy, directory, worker)
                await _wait_until_ready(stage)
                yield stage
            finally:
                _stop(worker)
    except EmbeddedServerError as error:
        raise DemoFailedError(str(error)) from error


def _fresh_directory(directory: Path, rules: Path) -> Path:
    """Empty the demo's directory and put a copy of the rules into it."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return Path(shutil.copytree(rules, directory / "rules"))


def _start_worker(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    """`sekisho worker` with the settings in its environment, as a deployment would start it."""
    stated = settings.model_dump(mode="json", exclude_unset=True)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("SEKISHO_")},
        **{f"SEKISHO_{name.upper()}": str(value) for name, value in stated.items()},
    }
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "worker"], env=environment, stdout=output, stderr=output
        )


async def _wait_until_ready(stage: Stage) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while True:
        state = await asyncio.to_thread(stage.readiness)
        if state.get("ready") and state.get("triton") == "available":
            if state["models"]:
                raise DemoFailedError("models that cannot be used: " + "; ".join(state["models"]))
            return
        if stage.worker.poll() is not None or time.monotonic() > deadline:
            tail = (stage.directory / "worker.log").read_text(errors="replace").splitlines()[-15:]
            raise DemoFailedError("the worker did not become ready:\n" + "\n".join(tail))
        await asyncio.sleep(0.05)


def _stop(worker: subprocess.Popen[bytes]) -> None:
    if worker.poll() is None:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(30)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def _get(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310 - the worker's own address
            body: dict[str, Any] = json.load(answer)
            return body
    except urllib.error.HTTPError as error:
        refused: dict[str, Any] = json.load(error)
        return refused
    except (urllib.error.URLError, OSError, ValueError):
        return {}


def _need(path: Path, what: str) -> None:
    if not path.exists():
        raise DemoFailedError(
            f"{path} is not there: run the demo in the repository's root, which holds {what}"
        )
