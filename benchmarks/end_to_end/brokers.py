"""The broker that all systems of one measurement use: Apache Kafka where Java is there, else an embedded one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from streams.embedded.broker import EmbeddedBroker
from tests.kafka_server.apache_kafka import ApacheKafka, KafkaUnavailableError, jars

#: noida-db stands in for Kafka; Quix Streams does not start on Tansu, which answers too little about its topics.
BrokerChoice = Literal["kafka", "noida"]


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker."""

    bootstrap: str
    pids: tuple[int, ...]


def best_broker() -> BrokerChoice:
    """Apache Kafka if it can be run here."""
    try:
        jars()
    except KafkaUnavailableError:
        return "noida"
    return "kafka"


def broker_version(kind: BrokerChoice) -> str:
    """Its name and version."""
    if kind == "kafka":
        return f"Apache Kafka {jars().name.rpartition('-')[2]}"
    return f"noida-db {version('noida-db')}"


@contextmanager
def running(kind: BrokerChoice, directory: Path) -> Iterator[Broker]:
    """A broker in the directory, stopped on leaving. Raises `KafkaUnavailableError`, `EmbeddedServerError`."""
    if kind == "kafka":
        kafka = ApacheKafka(directory)
        try:
            kafka.start()
            pids = tuple(process.pid for process, _ in kafka._processes.values())
            yield Broker(kafka.bootstrap, pids)
        finally:
            kafka.stop()
    else:
        with EmbeddedBroker("noida", data_dir=directory) as embedded:
            yield Broker(embedded.bootstrap, (embedded.pid,))
