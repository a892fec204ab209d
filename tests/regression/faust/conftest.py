"""A broker for the corrections' tests. Tansu where members come and go, because it expires sessions as Kafka does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.embedded.broker import EmbeddedBroker


@pytest.fixture(scope="session")
def noida(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory: Path = tmp_path_factory.mktemp("noida")
    with EmbeddedBroker("noida", data_dir=directory) as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
def tansu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory: Path = tmp_path_factory.mktemp("tansu")
    with EmbeddedBroker("tansu", data_dir=directory) as broker:
        yield broker.bootstrap
