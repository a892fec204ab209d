"""One TritonError object in the responses of a whole batch ended tritonserver 2.51 by SIGSEGV."""

from __future__ import annotations

import asyncio

import pytest

from streams.embedded.triton import EmbeddedTriton
from streams.inference.failures import InferenceFailed
from tests.integration.tiny_models import client_of, message_inputs

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = pytest.mark.embedded


async def test_batches_in_which_every_request_fails_leave_the_server_alive(peaceful_triton: EmbeddedTriton):
    async with client_of(peaceful_triton) as client:
        answers = await asyncio.gather(
            *(client.infer("message_picky", 1, message_inputs([666]), ["score"]) for _ in range(64)),
            return_exceptions=True,
        )
        assert all(isinstance(answer, InferenceFailed) and answer.reason == "internal" for answer in answers)
        assert peaceful_triton.running
        assert await client.live()


async def test_one_bad_request_among_many_fails_alone(peaceful_triton: EmbeddedTriton):
    # The server joins waiting requests into batches; without a second, single run all of a batch would fail.
    tokens = [666 if i == 17 else 50 for i in range(64)]
    async with client_of(peaceful_triton) as client:
        answers = await asyncio.gather(
            *(client.infer("message_picky", 1, message_inputs([t]), ["score"]) for t in tokens),
            return_exceptions=True,
        )
    assert [i for i, answer in enumerate(answers) if isinstance(answer, InferenceFailed)] == [17]
