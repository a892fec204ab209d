"""Real brokers for the integration tests: two embedded ones and Apache Kafka, each started once."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from streams.embedded.broker import EmbeddedBroker
from streams.settings import Settings
from tests.kafka_server.apache_kafka import ApacheKafka, KafkaUnavailableError, SecureListeners

BROKER_KINDS = ("tansu", "noida", "kafka")
#: Domains of the policy that tests use.
DOMAINS = ("off_platform_payment", "counterfeit")
POLICY = """\
format: 1
domains:
  off_platform_payment:
    title: Asks to pay or trade outside the marketplace
    applies_to: message
    severity: high
    champion: {model: message_off_platform_payment, version: 1, threshold: 0.9}
  counterfeit:
    title: Sells an imitation
    applies_to: listing
    severity: medium
"""

_numbers = itertools.count(1)


class RunningBroker(Protocol):
    """What every broker fixture offers."""

    @property
    def kind(self) -> str:
        """One of BROKER_KINDS."""

    @property
    def bootstrap(self) -> str:
        """What clients connect to."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the broker it runs on, so that `-m "not kafka"` leaves Java out."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        kind = callspec.params.get("broker") if callspec is not None else None
        if kind in BROKER_KINDS:
            item.add_marker(pytest.mark.kafka if kind == "kafka" else pytest.mark.embedded)


@pytest.fixture(scope="session", params=BROKER_KINDS)
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningBroker]:
    """A running broker of each kind; `@pytest.mark.parametrize("broker", ["kafka"], indirect=True)` picks one."""
    directory = tmp_path_factory.mktemp(request.param)
    server: ApacheKafka | EmbeddedBroker
    server = (
        apache_kafka(directory)
        if request.param == "kafka"
        else EmbeddedBroker(request.param, None, directory)
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


def apache_kafka(directory: Path, *, nodes: int = 1, secure: SecureListeners | None = None) -> ApacheKafka:
    """Apache Kafka, not started yet; skips where it cannot be had, except in CI, where that is an error."""
    try:
        return ApacheKafka(directory, nodes=nodes, secure=secure)
    except KafkaUnavailableError as error:
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            raise
        pytest.skip(f"Apache Kafka cannot be run here: {error}")


@pytest.fixture
def kafka_settings(broker: RunningBroker, tmp_path: Path) -> Settings:
    """Settings for this test alone: topics and groups of its own on the shared broker."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "domains.yaml").write_text(POLICY)
    return Settings(
        broker=broker.bootstrap,
        topic_prefix=f"test{next(_numbers)}.",
        partitions=4,
        rules_dir=rules,
        data_dir=tmp_path / "data",
    )


@pytest.fixture
def command_environment(kafka_settings: Settings) -> dict[str, str]:
    """The same settings as a command takes them."""
    return {
        "SEKISHO_BROKER": kafka_settings.broker,
        "SEKISHO_TOPIC_PREFIX": kafka_settings.topic_prefix,
        "SEKISHO_PARTITIONS": str(kafka_settings.partitions),
        "SEKISHO_RULES_DIR": str(kafka_settings.rules_dir),
        "SEKISHO_DATA_DIR": str(kafka_settings.data_dir),
    }
