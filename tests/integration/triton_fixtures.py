"""Real embedded Triton servers as fixtures: one that all tests share, and ones that a test may hurt.

Test modules name this module in `pytest_plugins`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streams.embedded.triton import EmbeddedTriton
from tests.integration.tiny_models import (
    Repository,
    encoder_mean,
    listing_sum,
    message_picky,
    message_slow,
    message_sum,
    put_model,
)


@pytest.fixture(scope="session")
def peaceful_triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """One server with all the tiny models, for tests that leave it as they found it."""
    base = tmp_path_factory.mktemp("triton")
    repository = base / "repository"
    put_model(repository, "message_sum", {
        3: message_sum("message_sum", 0.001), 4: message_sum("message_sum", 0.002)
    })  # fmt: skip
    put_model(repository, "message_root", {1: message_sum("message_root", 1.0, root=True)})
    put_model(repository, "message_picky", {1: message_picky("message_picky")})
    put_model(repository, "message_slow", {1: message_slow("message_slow")})
    put_model(repository, "listing_sum", {1: listing_sum("listing_sum")})
    put_model(repository, "image_encoder", {1: encoder_mean()})
    with EmbeddedTriton(repository, base / "data") as server:
        assert server.unready() == {}
        yield server


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An own, empty repository for tests that hurt the server."""
    (tmp_path / "repository").mkdir()
    return Repository(tmp_path / "repository")


@pytest.fixture
def start_triton(tmp_path: Path) -> Iterator[Callable[..., EmbeddedTriton]]:
    """Starts servers that this test alone uses, and ends them by force however it left them."""
    servers: list[EmbeddedTriton] = []

    def start(repository: Repository, **options) -> EmbeddedTriton:
        server = EmbeddedTriton(repository.path, tmp_path / f"data{len(servers)}", **options)
        servers.append(server)
        return server.start().wait_ready()

    yield start
    for server in servers:
        server.kill()
