"""The tritonserver binary of a pip wheel as a child process: CPU serving of the same repository without Docker."""

from __future__ import annotations

import json
import logging
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.embedded.process import EmbeddedServerError, ServerProcess, free_ports
from streams.embedded.shared_memory import regions_of_group, remove_regions
from streams.embedded.triton_wheel import TritonWheel

logger = logging.getLogger(__name__)

#: How often a start that a crowded machine spoilt is tried again. In what Triton writes as it aborts: its stubs share
#: locks in memory, and whoever waits too long for one gives up (boost::interprocess).
_MORE_STARTS = 2
_LOCK_GIVEN_UP = "lock_exception"
#: The message stands before a trace of some forty lines.
_LAST_WORDS_LINES = 200
#: A normal stop takes 3 s; after a stub died, or a warmup failed, Triton waits its --exit-timeout-secs out.
_EXIT_TIMEOUT_S = 8
_STOP_GRACE_S = _EXIT_TIMEOUT_S + 4.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class TritonPorts:
    """The three ports of a Triton server on 127.0.0.1."""

    grpc: int
    http: int
    metrics: int

    @classmethod
    def free(cls) -> TritonPorts:
        """Three that are free now."""
        return cls(*free_ports(3))


class EmbeddedTriton:
    """One tritonserver in explicit model control, on 127.0.0.1 only.

    `models`: the models to load at start; None loads all that the repository holds. A model that cannot be loaded
    does not keep the others from being served: see `unready`. Start it from a thread that outlives it.
    """

    def __init__(
        self,
        repository: Path,
        data_dir: Path,
        *,
        ports: TritonPorts | None = None,
        models: Sequence[str] | None = None,
        extra_arguments: Sequence[str] = (),
    ) -> None:
        self.repository = repository
        self.data_dir = data_dir
        self.ports = ports or TritonPorts.free()
        self._models = models
        self._wheel = TritonWheel.find()
        self._regions: set[str] = set()
        self._backends = data_dir.resolve() / "triton" / "backends"
        self._process = ServerProcess(
            "the embedded Triton",
            [*self._command(), *extra_arguments],
            log_file=data_dir / "triton" / "triton.log",
            death_signal=signal.SIGTERM,
        )

    @property
    def grpc_address(self) -> str:
        """What SEKISHO_TRITON takes, host:port."""
        return f"127.0.0.1:{self.ports.grpc}"

    @property
    def metrics_url(self) -> str:
        """Where Prometheus scrapes the server."""
        return f"http://127.0.0.1:{self.ports.metrics}/metrics"

    @property
    def log_file(self) -> Path:
        """What the server writes."""
        return self._process.log_file

    @property
    def pid(self) -> int:
        """Process id of tritonserver, also the process group of it and its stubs."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether tritonserver is alive; it may still be loading models."""
        return self._process.running

    def start(self) -> EmbeddedTriton:
        """Start it; `wait_ready` tells when it answers. Raises EmbeddedServerError when the repository is not there."""
        if not self.repository.is_dir():
            raise EmbeddedServerError(f"the model repository {self.repository} is not a directory")
        if not self._process.running:
            self._reap()  # what an earlier run left
        self._wheel.make_backends(self._backends)
        self._process.start(self._wheel.environment())
        return self

    def wait_ready(self, timeout_s: float = 60.0) -> EmbeddedTriton:
        """Wait until it serves requests, and until every model named in `models` is ready.

        One that gives up waiting for a lock of its own before it is ready, as on a crowded machine, is started again
        twice. Raises EmbeddedServerError with Triton's reason when it died, a named model did not load, or time ran out.
        """
        deadline = time.monotonic() + timeout_s
        starts_left = _MORE_STARTS
        while not self._get("/v2/health/ready"):
            if not self._process.running:
                self._reap()
                if not starts_left or not self._gave_a_lock_up():
                    raise self._process.died()
                starts_left -= 1
                logger.warning(
                    "%s before it was ready: it gave up waiting for a lock, as it does on a machine with too much to do; "
                    "starting it again (%d more after this)",
                    self._process.fate,
                    starts_left,
                )
                self.start()
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"the embedded Triton was not ready after {timeout_s:g} s; its log, {self.log_file}, "
                    f"ends with:\n{self._process.log_tail()}"
                )
            time.sleep(_POLL_S)
        self._note_regions()
        unready = self.unready()
        named = [name for name in self._models or () if name in unready]
        if named:
            raise EmbeddedServerError(
                "; ".join(f"model {name} is not served: {unready[name]}" for name in named)
            )
        return self

    def unready(self) -> dict[str, str]:
        """The repository's models of which no version is ready, with Triton's reason. Needs a ready server."""
        request = urllib.request.Request(self._url("/v2/repository/index"), data=b"{}", method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310  # our own server
            index = json.load(response)
        ready = {entry["name"] for entry in index if entry.get("state") == "READY"}
        return {
            entry["name"]: entry.get("reason") or "it is not loaded"
            for entry in index
            if entry["name"] not in ready and (self._models is None or entry["name"] in self._models)
        }

    def stop(self) -> None:
        """SIGTERM, SIGKILL if it takes too long, stubs and shared memory with it. Needs about 3 s."""
        self._note_regions()
        self._process.stop(_STOP_GRACE_S)
        self._reap()

    def kill(self) -> None:
        """SIGKILL to server and stubs, and no shared memory left: at once, for tests and hopeless cases."""
        self._note_regions()
        self._reap()

    def died(self) -> EmbeddedServerError:
        """What to raise, or print, when it is found not running."""
        return self._process.died()

    def __enter__(self) -> EmbeddedTriton:
        """Start it and wait until it is ready; it is stopped when that fails."""
        try:
            return self.start().wait_ready()
        except BaseException:
            self.kill()
            raise

    def __exit__(self, *_exception: object) -> None:
        """Stop it."""
        self.stop()

    def _command(self) -> list[str]:
        load = ["*"] if self._models is None else list(self._models)
        return [
            str(self._wheel.server),
            f"--model-repository={self.repository.resolve()}",
            f"--backend-directory={self._backends}",
            "--model-control-mode=explicit",
            *(f"--load-model={name}" for name in load),
            # Completing configurations starts a second stub per model and a wait of a second; ours are complete.
            "--disable-auto-complete-config",
            # Otherwise one bad push makes the whole server not ready until that very version loads.
            "--strict-readiness=false",
            "--exit-on-error=false",
            f"--exit-timeout-secs={_EXIT_TIMEOUT_S}",
            "--allow-gpu-metrics=false",
            "--pinned-memory-pool-byte-size=0",
            # Without these it listens on all interfaces.
            "--grpc-address=127.0.0.1", f"--grpc-port={self.ports.grpc}",
            "--http-address=127.0.0.1", f"--http-port={self.ports.http}",
            "--metrics-address=127.0.0.1", f"--metrics-port={self.ports.metrics}",
        ]  # fmt: skip

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.ports.http}{path}"

    def _get(self, path: str) -> bool:
        try:
            urllib.request.urlopen(self._url(path), timeout=1).close()  # noqa: S310  # our own server
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _gave_a_lock_up(self) -> bool:
        return self._process.exit_status == -signal.SIGABRT and _LOCK_GIVEN_UP in self._process.log_tail(
            _LAST_WORDS_LINES
        )

    def _note_regions(self) -> None:
        if self._process.running:
            self._regions |= regions_of_group(self._process.pid)

    def _reap(self) -> None:
        """Stubs may outlive a killed server in its process group, and its shared memory always may."""
        self._process.kill()
        remove_regions(self._regions)
        self._regions = set()
