"""Broker and Triton together, for `sekisho up`, the demo and tests: started, watched over, stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from streams.embedded.broker import BrokerKind, EmbeddedBroker
from streams.embedded.triton import EmbeddedTriton, TritonPorts


@dataclass(frozen=True, slots=True)
class EmbeddedServers:
    """What runs; either may be left out."""

    broker: EmbeddedBroker | None
    triton: EmbeddedTriton | None

    def environment(self) -> dict[str, str]:
        """The variables that point the engine's commands at these servers."""
        variables = {}
        if self.broker is not None:
            variables["SEKISHO_BROKER"] = self.broker.bootstrap
        if self.triton is not None:
            variables["SEKISHO_TRITON"] = self.triton.grpc_address
        return variables

    def tend(self) -> list[str]:
        """Start a dead Triton again; sentences about what was found and done. Call it every second or so.

        A dead broker is not started again: Tansu would come back empty, and the worker would take that for an empty
        Kafka. Raises EmbeddedServerError for it, and when Triton cannot be started.
        """
        if self.broker is not None and not self.broker.running:
            raise self.broker.died()
        if self.triton is None or self.triton.running:
            return []
        cause = self.triton.died()
        self.triton.start().wait_ready()
        return [f"{cause}\nIt was started again."]


@contextmanager
def embedded_servers(
    *,
    data_dir: Path,
    repository: Path,
    broker: BrokerKind | None = "tansu",
    broker_port: int | None = None,
    triton: bool = True,
    triton_ports: TritonPorts | None = None,
) -> Iterator[EmbeddedServers]:
    """Start both and wait until they answer; stop both at the end. Ports that are not given are free ones.

    The servers live no longer than the thread that enters. Raises EmbeddedServerError when one does not start.
    """
    with ExitStack() as stack:
        # The broker first: it is there in milliseconds, and its port is the one that is likely to be taken.
        running_broker = (
            stack.enter_context(EmbeddedBroker(broker, broker_port, data_dir)) if broker is not None else None
        )
        running_triton = (
            stack.enter_context(EmbeddedTriton(repository, data_dir, ports=triton_ports)) if triton else None
        )
        yield EmbeddedServers(running_broker, running_triton)
