"""Fetches, formats, starts and stops Apache Kafka (KRaft, no ZooKeeper, no Docker) on free loopback ports."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.kafka_server.certificates import Certificates, Signed

POM = Path(__file__).with_name("pom.xml")
#: Any 22 characters of URL-safe base64 that decode to 16 bytes: the id only has to be the same on every node.
CLUSTER_ID = "c2VraXNoby10ZXN0LWtyYQ"
#: 16 MiB of cleaner buffer instead of 128 MiB lets the broker live in this heap.
HEAP = "384m"
#: A JVM on two busy cores has taken 12 s, and more than a minute on two cores with twenty other programs. Nodes that
#: start together share the cores and wait for each other, so each has that much.
START_TIMEOUT_S = 150.0
#: A clean stop of a lone node takes 2-3 s; one without its quorum would wait for ever.
STOP_TIMEOUT_S = 30.0


class KafkaUnavailableError(RuntimeError):
    """Apache Kafka cannot be run here; the message is the reason to skip with."""


def jars() -> Path:
    """Directory with the server's jars, fetched once: `SEKISHO_KAFKA_HOME`, or a cache directory of the user's."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise KafkaUnavailableError(f"{program} is not on the PATH (needed: Java 17 or newer, Maven)")
    home = Path(os.environ.get("SEKISHO_KAFKA_HOME") or Path.home() / ".cache" / "sekisho" / "kafka")
    target = home / _version()
    if target.is_dir():
        return target
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as part:
        fetched = subprocess.run(
            [
                "mvn",
                "-q",
                "-B",
                "-f",
                str(POM),
                "dependency:copy-dependencies",
                f"-DoutputDirectory={part}/jars",
            ],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if fetched.returncode != 0:
            raise KafkaUnavailableError(
                f"Maven could not fetch the jars: {fetched.stdout[-800:]}{fetched.stderr[-400:]}"
            )
        # complete or not there, also when two test runs fetch at once
        with contextlib.suppress(OSError):
            Path(part, "jars").rename(target)
    return target


@dataclass(frozen=True, slots=True)
class Node:
    """Where one combined broker and controller listens, and keeps its log."""

    node_id: int
    broker_port: int
    controller_port: int
    directory: Path

    @property
    def bootstrap(self) -> str:
        """What a client connects to."""
        return f"127.0.0.1:{self.broker_port}"


@dataclass(frozen=True, slots=True)
class SecureListeners:
    """More ports of a single node: SASL over TLS, SASL without, TLS that wants a client's certificate, a wrong host.

    SASL is SCRAM-SHA-256, SCRAM-SHA-512 or PLAIN; the misnamed port shows a certificate of another host.
    """

    sasl_tls_port: int
    sasl_port: int
    mutual_tls_port: int
    misnamed_port: int
    username: str
    password: str
    certificates: Certificates

    def properties(self, plain: dict[str, str]) -> dict[str, str]:
        """What to add to the properties of a node that has only its plain listeners."""
        places = {
            "SASLTLS": ("SASL_SSL", self.sasl_tls_port),
            "SASL": ("SASL_PLAINTEXT", self.sasl_port),
            "MUTUAL": ("SSL", self.mutual_tls_port),
            "MISNAMED": ("SSL", self.misnamed_port),
        }
        listeners = ",".join(f"{name}://127.0.0.1:{port}" for name, (_, port) in places.items())
        protocols = ",".join(f"{name}:{protocol}" for name, (protocol, _) in places.items())
        added = {
            "listeners": f"{plain['listeners']},{listeners}",
            "advertised.listeners": f"{plain['advertised.listeners']},{listeners}",
            "listener.security.protocol.map": f"{plain['listener.security.protocol.map']},{protocols}",
            "listener.name.mutual.ssl.client.auth": "required",
        }
        for name in ("sasltls", "sasl"):
            added |= self._logins(f"listener.name.{name}")
        for name in ("sasltls", "mutual"):
            added |= self._tls(f"listener.name.{name}", self.certificates.server)
        return added | self._tls("listener.name.misnamed", self.certificates.misnamed)

    def scram_users(self) -> list[str]:
        """Arguments of the storage tool that make the user known under both mechanisms."""
        login = f"[name={self.username},password={self.password}]"
        return [
            argument
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            for argument in ("--add-scram", f"{mechanism}={login}")
        ]

    def _logins(self, listener: str) -> dict[str, str]:
        modules = "org.apache.kafka.common.security"
        scram = f"{modules}.scram.ScramLoginModule required;"
        plain = f'{modules}.plain.PlainLoginModule required user_{self.username}="{self.password}";'
        return {
            f"{listener}.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN",
            f"{listener}.scram-sha-256.sasl.jaas.config": scram,
            f"{listener}.scram-sha-512.sasl.jaas.config": scram,
            f"{listener}.plain.sasl.jaas.config": plain,
        }

    def _tls(self, listener: str, shown: Signed) -> dict[str, str]:
        return {
            f"{listener}.ssl.keystore.type": "PEM",
            f"{listener}.ssl.keystore.location": str(shown.store()),
            f"{listener}.ssl.truststore.type": "PEM",
            f"{listener}.ssl.truststore.location": str(self.certificates.authority.certificate),
        }


def server_properties(node: Node, nodes: Sequence[Node]) -> dict[str, str]:
    """The server.properties of one node of a cluster; small everything, and no topic made by accident."""
    replicas = str(min(3, len(nodes)))
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.node_id),
        "controller.quorum.voters": ",".join(f"{n.node_id}@127.0.0.1:{n.controller_port}" for n in nodes),
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{node.broker_port},CONTROLLER://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{node.broker_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(node.directory / "log"),
        "auto.create.topics.enable": "false",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(16 << 20),
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": "1",
        # Kafka's own topic of committed offsets must not rest on one replica where there are three.
        "min.insync.replicas": "2" if len(nodes) >= 3 else "1",
        # A follower's fetch waits for 64 KiB or 20 ms, not for one byte or 500 ms: every small append was fetched at
        # once by each follower, hundreds of requests a second for a load of 300 records/s.
        "replica.fetch.min.bytes": str(1 << 16),
        "replica.fetch.wait.max.ms": "20",
        # a broker gives up when the controllers are not there in time; here they start at the same moment as it does
        "initial.broker.registration.timeout.ms": str(int(START_TIMEOUT_S * 1000) * len(nodes)),
        # the 3 s that a production broker waits for more members would be most of a short test
        "group.initial.rebalance.delay.ms": "0",
        # clients ask for 10 s; tests of takeovers may ask for less
        "group.min.session.timeout.ms": "2000",
    }


class ApacheKafka:
    """One or more nodes of one cluster, each its own Java process."""

    kind = "kafka"

    def __init__(self, data_dir: Path, *, nodes: int = 1, secure: SecureListeners | None = None) -> None:
        self._jars = jars()
        self._secure = secure
        ports = free_ports(2 * nodes)
        self.nodes = tuple(
            Node(index + 1, ports[2 * index], ports[2 * index + 1], data_dir / f"node{index + 1}")
            for index in range(nodes)
        )
        self._processes: dict[int, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}

    @property
    def bootstrap(self) -> str:
        """All nodes, as clients take them."""
        return ",".join(node.bootstrap for node in self.nodes)

    def start(self) -> None:
        """Format the storage of nodes that have none, start those that are not running, wait until they serve."""
        for node in self.nodes:
            self._format(node)
            self.start_node(node.node_id, wait=False)
        for node in self.nodes:
            self._wait_until_serving(node)

    def start_node(self, node_id: int, *, wait: bool = True) -> None:
        """Start one formatted node again, e.g. after `stop_node`."""
        if node_id in self._processes:
            process, log = self._processes[node_id]
            if process.poll() is None:
                return
            log.close()  # it ended by itself
        node = self._node(node_id)
        log = (node.directory / "server.out").open("ab")
        command = self._java("kafka.Kafka", str(node.directory / "server.properties"))
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=node.directory)
        self._processes[node_id] = (process, log)
        if wait:
            self._wait_until_serving(node)

    def stop_node(self, node_id: int, *, kill: bool = False) -> None:
        """Stop one node, cleanly or as a crash would."""
        process, log = self._processes.pop(node_id)
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()  # a process of a starved machine takes its time to go, but it goes
        log.close()

    def stop(self) -> None:
        """Stop every node that runs; a combined node without its quorum would wait for it, so the rest is killed."""
        for position, node_id in enumerate(list(self._processes)):
            self.stop_node(node_id, kill=position > 0)

    def output(self, node_id: int = 1) -> str:
        """The end of what a node printed."""
        path = self._node(node_id).directory / "server.out"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def _node(self, node_id: int) -> Node:
        return self.nodes[node_id - 1]

    def _format(self, node: Node) -> None:
        if (node.directory / "log" / "meta.properties").exists():
            return
        node.directory.mkdir(parents=True, exist_ok=True)
        properties = server_properties(node, self.nodes)
        users: list[str] = []
        if self._secure is not None:
            properties |= self._secure.properties(properties)
            users = self._secure.scram_users()
        path = node.directory / "server.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        done = subprocess.run(
            self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(path), *users),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"formatting the storage failed: {done.stdout}{done.stderr}")

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        # The serial collector and one compiler tier start a third faster and leave the cores to the tests.
        options = [f"-Xmx{HEAP}", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        logging = [
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
        ]
        return ["java", *options, *logging, "-cp", f"{self._jars}/*", main_class, *arguments]

    def _wait_until_serving(self, node: Node) -> None:
        limit_s = START_TIMEOUT_S * len(self.nodes)
        deadline = time.monotonic() + limit_s
        process, _ = self._processes[node.node_id]
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(
                    f"Apache Kafka ended with {process.returncode}:\n{self.output(node.node_id)}"
                )
            try:
                socket.create_connection(("127.0.0.1", node.broker_port), 0.5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"Apache Kafka did not start in {limit_s:.0f} s:\n{self.output(node.node_id)}")


def free_ports(count: int) -> list[int]:
    """Ports that are free now; all held at once while choosing, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _version() -> str:
    """`kafka_2.13-4.1.1` from the pom, the name under which its jars are kept."""
    namespace = {"m": "http://maven.apache.org/POM/4.0.0"}
    dependency = ElementTree.parse(POM).find(".//m:dependency", namespace)
    assert dependency is not None
    artifact, version = (
        dependency.findtext(f"m:{name}", namespaces=namespace) for name in ("artifactId", "version")
    )
    return f"{artifact}-{version}"
