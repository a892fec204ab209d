"""Servers and models that are killed, frozen or broken under traffic: nothing hangs, and what can heal heals."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest
from prometheus_client import REGISTRY

from streams.embedded.triton import EmbeddedTriton
from streams.inference.addresses import targets
from streams.inference.failures import InferenceFailed
from streams.inference.scorer import ModelFailure, ModelScore, ModelVersion, Scorer
from streams.inference.triton import TritonClient
from tests.integration.tiny_models import (
    client_of,
    eventually,
    listing,
    listing_sum,
    message_inputs,
    message_sum,
    window,
)

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = pytest.mark.embedded

SUM = ModelVersion("message_sum", 1)


@pytest.fixture
def triton(repository, start_triton) -> EmbeddedTriton:
    repository.put("message_sum", {1: message_sum("message_sum", 0.001)})
    return start_triton(repository)


def stubs(server: EmbeddedTriton) -> list[psutil.Process]:
    return [p for p in psutil.Process(server.pid).children() if "stub" in p.name()]


def shared_memory_regions() -> set[str]:
    return {path.name for path in Path("/dev/shm").glob("triton_*_shm_region_*")}


def breaker_open() -> bool:
    return REGISTRY.get_sample_value("sekisho_triton_breaker_open", {"model": "message_sum"}) == 1


async def test_a_frozen_server_is_a_deadline_and_then_an_open_breaker(triton: EmbeddedTriton):
    # Long enough for a busy machine to answer within it after the freeze.
    async with client_of(triton, timeout_s=1.5) as client:
        scorer = Scorer(client)
        # A connection that is not there yet would time out by itself, as `unavailable`.
        await scorer.score_messages([window(1)], [SUM])
        os.kill(triton.pid, signal.SIGSTOP)
        answers = [(await scorer.score_messages([window(1)], [SUM]))[0][SUM] for _ in range(4)]
        assert answers == [ModelFailure("deadline", retriable=True)] * 3 + [
            ModelFailure("breaker_open", retriable=True)
        ]
        assert breaker_open()
        assert not await client.live()
        os.kill(triton.pid, signal.SIGCONT)
        await scorer.wait_available()
        [answer] = await scorer.score_messages([window(1000, writer=0)], [SUM])
        assert answer[SUM] == ModelScore(1.0)
        assert not breaker_open()


async def test_a_killed_server_is_unavailable_until_it_is_back(triton: EmbeddedTriton):
    async with client_of(triton) as client:
        scorer = Scorer(client)
        os.killpg(triton.pid, signal.SIGKILL)
        await eventually(lambda: not triton.running)
        [answer] = await scorer.score_messages([window(1)], [SUM])
        assert answer[SUM] == ModelFailure("unavailable", retriable=True)
        assert await scorer.check([SUM]) != []
        waiting = asyncio.create_task(scorer.wait_available())
        await asyncio.to_thread(lambda: None)
        assert not waiting.done()
        triton.start().wait_ready()
        await asyncio.wait_for(waiting, 30)
        [answer] = await scorer.score_messages([window(1000, writer=0)], [SUM])
    assert answer[SUM] == ModelScore(1.0)


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
async def test_no_request_is_lost_when_one_of_two_servers_dies(repository, start_triton, large: bool):
    # 64 listings with an image are 330 kB: beyond gRPC's default of what it keeps for a retry.
    repository.put("message_sum", {1: message_sum("message_sum", 0.001)})
    repository.put("listing_sum", {1: listing_sum("listing_sum")})
    first, second = start_triton(repository), start_triton(repository)
    rows = 0
    stop = asyncio.Event()

    async def traffic(scorer: Scorer) -> list[object]:
        nonlocal rows
        failures = []
        while not stop.is_set():
            if large:
                version = ModelVersion("listing_sum", 1)
                answers = await scorer.score_listings([listing(7, image=0.5)] * 64, [version])
            else:
                version = SUM
                answers = await scorer.score_messages([window(7)], [version])
            failures += [a[version] for a in answers if isinstance(a[version], ModelFailure)]
            rows += len(answers)
        return failures

    both = targets(f"{first.grpc_address},{second.grpc_address}", tls=False)
    async with TritonClient(both, timeout_s=10) as client:
        scorer = Scorer(client)
        tasks = [asyncio.create_task(traffic(scorer)) for _ in range(4)]
        await eventually(lambda: rows > 500)
        os.killpg(first.pid, signal.SIGKILL)
        served = rows
        await eventually(lambda: rows > served + 500)
        stop.set()
        assert [failure for task in tasks for failure in await task] == []


async def test_a_killed_stub_is_revived_without_losing_a_row(triton: EmbeddedTriton):
    async with client_of(triton) as client:
        scorer = Scorer(client)
        [stub] = stubs(triton)
        stub.kill()
        # Four at once find it dead; it is unloaded and loaded once.
        answers = await asyncio.gather(
            *(scorer.score_messages([window(1000, writer=0)], [SUM]) for _ in range(4))
        )
        assert [answer[SUM] for [answer] in answers] == [ModelScore(1.0)] * 4
        assert [p.pid for p in stubs(triton)] != [stub.pid]
        assert not breaker_open()


async def test_a_stub_that_cannot_be_revived_says_what_to_do(triton: EmbeddedTriton, caplog):
    async with client_of(triton) as client:
        scorer = Scorer(client)
        [stub] = stubs(triton)
        (triton.repository / "message_sum" / "1" / "model.onnx").write_bytes(b"no model")
        stub.kill()
        [answer] = await scorer.score_messages([window(1)], [SUM])
    assert answer[SUM] == ModelFailure("stub_dead", retriable=True)
    assert "its process on Triton was killed" in caplog.text


async def test_a_bad_push_leaves_the_old_version_serving(repository, start_triton):
    repository.put("message_sum", {1: message_sum("message_sum", 0.001)})
    triton = start_triton(repository)
    repository.put("message_sum", {1: message_sum("message_sum", 0.001), 2: b"no model"})
    async with client_of(triton) as client:
        with pytest.raises(InferenceFailed):
            await client.load("message_sum")
        answer = await client.infer("message_sum", 1, message_inputs([1000]), ["score"])
        assert answer["score"] == pytest.approx(1.0)
        assert await client.live()
        problems = await Scorer(client).check([SUM, ModelVersion("message_sum", 2)])
        states = {s.version: s for s in await client.index()}
    assert [problem.split(":")[0] for problem in problems] == ["message_sum/2"]
    assert states[2].state == "UNAVAILABLE"
    assert states[2].reason


async def test_versions_change_under_traffic_without_a_failure(repository, start_triton):
    repository.put("message_sum", {1: message_sum("message_sum", 0.001)})
    triton = start_triton(repository)
    loaded = asyncio.Event()

    async def traffic(scorer: Scorer) -> list[object]:
        seen = []
        while not loaded.is_set():
            [answer] = await scorer.score_messages([window(1000, writer=0)], [SUM])
            seen.append(answer[SUM])
        return seen

    async with client_of(triton) as client:
        scorer = Scorer(client)
        tasks = [asyncio.create_task(traffic(scorer)) for _ in range(4)]
        repository.put(
            "message_sum", {1: message_sum("message_sum", 0.001), 2: message_sum("message_sum", 0.005)}
        )
        await client.load("message_sum")
        loaded.set()
        outcomes = [outcome for task in tasks for outcome in await task]
        [answer] = await scorer.score_messages(
            [window(1000, writer=0)], [SUM, ModelVersion("message_sum", 2)]
        )
    assert set(outcomes) == {ModelScore(1.0)}
    assert answer == {SUM: ModelScore(1.0), ModelVersion("message_sum", 2): ModelScore(5.0)}


async def test_the_admin_key_guards_the_repository(repository, start_triton):
    repository.put("message_sum", {1: message_sum("message_sum", 0.001)})
    triton = start_triton(
        repository, extra_arguments=["--grpc-restricted-protocol=model-repository:admin=open-sesame"]
    )
    async with client_of(triton) as without, client_of(triton, admin_key="open-sesame") as with_key:
        with pytest.raises(InferenceFailed) as caught:
            await without.index()
        assert caught.value.reason == "restricted"
        assert not caught.value.retriable
        assert [s.model for s in await with_key.index()] == ["message_sum"]
        await without.infer("message_sum", 1, message_inputs([1]), ["score"])


async def test_nothing_is_left_of_a_killed_server(triton: EmbeddedTriton):
    mine = [psutil.Process(triton.pid), *stubs(triton)]
    regions = shared_memory_regions()
    assert regions
    triton.kill()
    # The kernel and init take a moment to bury them.
    await eventually(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in mine))
    # Another server of another test may hold regions: ours must be gone.
    assert shared_memory_regions() < regions
