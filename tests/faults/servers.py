"""Kafka nodes and Triton of a campaign, with the ways in which they are hurt and mended."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil

from streams.embedded.triton import EmbeddedTriton
from tests.kafka_server.apache_kafka import ApacheKafka


class Brokers:
    """The nodes of one cluster. Every call returns when what it does is done."""

    def __init__(self, directory: Path, *, nodes: int) -> None:
        self._cluster = ApacheKafka(directory, nodes=nodes)
        self.count = nodes

    @property
    def bootstrap(self) -> str:
        """All nodes, as clients take them."""
        return self._cluster.bootstrap

    async def start(self) -> None:
        """Start every node that does not run."""
        await asyncio.to_thread(self._cluster.start)

    async def kill(self, node_id: int) -> None:
        """As a crash would."""
        await asyncio.to_thread(self._cluster.stop_node, node_id, kill=True)

    async def start_one(self, node_id: int) -> None:
        """Start a node again."""
        await asyncio.to_thread(self._cluster.start_node, node_id)

    async def stop(self) -> None:
        """Stop all of them."""
        await asyncio.to_thread(self._cluster.stop)

    def node(self, choice: int) -> int:
        """The id of one of the nodes."""
        return choice % self.count + 1


class Triton:
    """One server, started again by hand after it was killed. Start it from the thread that outlives it."""

    def __init__(self, repository: Path, directory: Path) -> None:
        self._server = EmbeddedTriton(repository, directory)

    @property
    def grpc_address(self) -> str:
        """What workers call."""
        return self._server.grpc_address

    async def start(self) -> None:
        """Start it and wait until it answers."""
        # Not in another thread: the server ends with the thread that started it.
        self._server.start()
        await asyncio.to_thread(self._server.wait_ready)

    def kill(self) -> None:
        """SIGKILL to the server and its stubs."""
        self._server.kill()

    def freeze(self) -> None:
        """SIGSTOP to the server: connections stay open and nothing is answered."""
        os.kill(self._server.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._server.pid, signal.SIGCONT)

    def kill_stub(self, choice: int) -> str:
        """SIGKILL to one process that runs a model, as the kernel does when memory ran out; which one.

        Raises LookupError when there is none, psutil.Error when it ends at this moment.
        """
        stubs = [
            (process.pid, process, Path(path))
            for process in psutil.Process(self._server.pid).children(recursive=True)
            if process.status() != psutil.STATUS_ZOMBIE
            for path in process.cmdline()[1:2]
            if path.endswith("model.onnx")
        ]
        if not stubs:
            raise LookupError("Triton has no stub process at the moment")
        pid, stub, model = sorted(stubs)[choice % len(stubs)]
        stub.kill()
        return f"{model.parents[1].name}/{model.parent.name}, process {pid}"

    def stop(self) -> None:
        """Stop it."""
        self._server.kill()
