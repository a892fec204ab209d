"""A worker as its own process, as a deployment starts it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from streams.embedded.process import free_ports
from streams.settings import Settings


class WorkerProcess:
    """`sekisho worker` with its settings in the environment and its log in a file."""

    def __init__(self, settings: Settings, name: str = "worker", **environment: str) -> None:
        self.port = free_ports(1)[0]
        self.log_path = Path(settings.data_dir) / f"{name}.log"
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        stated = settings.model_dump(mode="json", exclude_unset=True)
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SEKISHO_")},
            **{
                f"SEKISHO_{k.upper()}": json.dumps(v) if isinstance(v, list | dict) else str(v)
                for k, v in stated.items()
            },
            "SEKISHO_WEB_PORT": str(self.port),
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> WorkerProcess:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streams.cli", "worker"], env=self._environment, stdout=log, stderr=log
            )
        return self

    @property
    def running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None
        return self.process

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready(self) -> dict[str, Any]:
        _, body = self.get("/readyz")
        return json.loads(body) if body else {}

    async def wait_ready(self, *, with_models: bool = True, timeout_s: float = 60.0) -> WorkerProcess:
        deadline = time.monotonic() + timeout_s
        while True:
            state = await asyncio.to_thread(self.ready)
            if state.get("ready") and (not with_models or state.get("triton") == "available"):
                return self
            assert self.running.poll() is None, f"the worker ended: {self.log()[-3000:]}"
            assert time.monotonic() < deadline, f"not ready: {state}\n{self.log()[-3000:]}"
            await asyncio.sleep(0.1)

    async def stop(self, number: int = signal.SIGTERM, timeout_s: float = 40.0) -> int:
        if self.running.poll() is None:
            self.running.send_signal(number)
        try:
            return await asyncio.to_thread(self.running.wait, timeout_s)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait()
            raise AssertionError(f"the worker did not stop: {self.log()[-3000:]}") from None

    async def ended(self, timeout_s: float = 40.0) -> int:
        """The exit code of a worker that ends by itself."""
        return await asyncio.to_thread(self.running.wait, timeout_s)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")
