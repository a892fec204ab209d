"""One worker with the shipped rules and models, a Triton and a broker, started until the worker consumes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.end_to_end.brokers import BrokerChoice, running
from streams.embedded.triton import EmbeddedTriton
from streams.kafka import topics
from streams.policy import POLICY_FILE, parse_policy
from streams.settings import Settings
from tests.integration.worker.process import WorkerProcess

ROOT = Path(__file__).parents[2]
_PARTITIONS = 4
_READY_S = 300.0


@asynccontextmanager
async def deployed(
    broker: BrokerChoice,
    directory: Path,
    **more: Any,  # noqa: ANN401 - any setting's type
) -> AsyncIterator[Settings]:
    """Settings of a deployment that runs; `more` are settings of the worker beside the usual ones.

    Raises EmbeddedServerError, KafkaUnavailableError, OSError.
    """
    rules = ROOT / "rules"
    policy, issues = parse_policy((rules / POLICY_FILE).read_bytes(), POLICY_FILE)
    if policy is None:
        raise ValueError("\n".join(issue.render() for issue in issues))
    with (
        running(broker, directory / "broker") as kafka,
        EmbeddedTriton(ROOT / "triton_repo", data_dir=directory / "triton") as triton,
    ):
        await asyncio.to_thread(triton.wait_ready, _READY_S)
        settings = Settings(
            broker=kafka.bootstrap,
            triton=triton.grpc_address,
            partitions=_PARTITIONS,
            rules_dir=rules,
            data_dir=directory / "worker",
            **more,
        )
        outcomes = await topics.create(settings, topics.catalogue(settings, policy.domains))
        if failed := [outcome for outcome in outcomes if outcome.result == "failed"]:
            raise OSError(f"topics could not be made: {failed}")
        worker = WorkerProcess(settings).start()
        try:
            await worker.wait_ready(timeout_s=_READY_S)
            yield settings
        finally:
            worker.kill()
