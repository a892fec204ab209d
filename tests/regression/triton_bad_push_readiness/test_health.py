"""With strict readiness, Triton's default, one bad push made /v2/health/ready fail for the whole server for good."""

from __future__ import annotations

import urllib.request

import pytest

from streams.inference.failures import InferenceFailed
from tests.integration.tiny_models import client_of, message_sum

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = pytest.mark.embedded


async def test_the_server_stays_ready_after_a_bad_push(repository, start_triton):
    good = message_sum("message_sum", 0.001)
    repository.put("message_sum", {1: good})
    server = start_triton(repository)
    repository.put("message_sum", {1: good, 2: b"no model"})
    async with client_of(server) as client:
        with pytest.raises(InferenceFailed):
            await client.load("message_sum")
        assert await client.ready("message_sum", 1)
        assert not await client.ready("message_sum", 2)
    with urllib.request.urlopen(f"http://127.0.0.1:{server.ports.http}/v2/health/ready") as response:  # noqa: ASYNC210
        assert response.status == 200
