"""The shipped models on a real Triton, the shipped rules, and topics of its own for each test."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from streams.embedded.triton import EmbeddedTriton
from streams.kafka import topics
from streams.policy import POLICY_FILE, Policy, parse_policy
from streams.settings import Settings
from tests.integration.conftest import RunningBroker
from tests.integration.worker.process import WorkerProcess

ROOT = Path(__file__).parents[3]
_numbers = itertools.count(1)

StartWorker = Callable[..., Awaitable[WorkerProcess]]


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """The shipped model repository, served."""
    with EmbeddedTriton(ROOT / "triton_repo", data_dir=tmp_path_factory.mktemp("triton")) as server:
        yield server.wait_ready()


@pytest.fixture
def policy() -> Policy:
    """The shipped policy."""
    path = ROOT / "rules" / POLICY_FILE
    parsed, issues = parse_policy(path.read_bytes(), str(path))
    assert parsed is not None, issues
    return parsed


@pytest.fixture
def rules_dir(tmp_path: Path) -> Path:
    """A copy of the shipped rules, free to edit."""
    return Path(shutil.copytree(ROOT / "rules", tmp_path / "rules"))


@pytest_asyncio.fixture
async def settings(
    broker: RunningBroker, triton: EmbeddedTriton, rules_dir: Path, tmp_path: Path, policy: Policy
) -> Settings:
    """Settings of this test alone, with its topics made."""
    made = Settings(
        broker=broker.bootstrap,
        triton=triton.grpc_address,
        topic_prefix=f"w{next(_numbers)}-{broker.kind}.",
        partitions=4,
        rules_dir=rules_dir,
        rules_poll_s=0.5,
        data_dir=tmp_path / "data",
    )
    outcomes = await topics.create(made, topics.catalogue(made, policy.domains))
    assert all(outcome.result == "created" for outcome in outcomes), outcomes
    return made


@pytest_asyncio.fixture
async def start_worker(settings: Settings) -> AsyncIterator[StartWorker]:
    """Starts workers and makes sure that none outlives the test."""
    started: list[WorkerProcess] = []

    async def start(
        name: str = "worker", *, with_models: bool = True, timeout_s: float = 60.0, **environment: str
    ) -> WorkerProcess:
        worker = WorkerProcess(settings, name, **environment)
        started.append(worker)
        return await worker.start().wait_ready(with_models=with_models, timeout_s=timeout_s)

    yield start
    for worker in started:
        worker.kill()
