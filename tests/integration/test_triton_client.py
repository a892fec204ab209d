"""The client against a real server: what it sends, reads back and raises."""

from __future__ import annotations

import asyncio
import re
import urllib.request

import numpy as np
import pytest

from streams.embedded.triton import EmbeddedTriton
from streams.features.tokens import TOKENIZER
from streams.inference.addresses import targets
from streams.inference.contracts import MESSAGE
from streams.inference.failures import InferenceFailed
from streams.inference.triton import TritonClient
from streams.settings import Settings
from tests.integration.tiny_models import client_of, message_inputs, message_sum

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = pytest.mark.embedded


async def test_infers_with_the_version_asked_for(peaceful_triton: EmbeddedTriton):
    async with client_of(peaceful_triton) as client:
        old = await client.infer("message_sum", 3, message_inputs([100, 200]), ["score"])
        new = await client.infer("message_sum", 4, message_inputs([100, 200]), ["score"])
    np.testing.assert_allclose(old["score"], [[0.1], [0.2]], rtol=1e-6)
    np.testing.assert_allclose(new["score"], [[0.2], [0.4]], rtol=1e-6)


async def test_concurrent_requests_get_their_own_answers(peaceful_triton: EmbeddedTriton):
    # The server joins them into batches and must take them apart again.
    async with client_of(peaceful_triton) as client:
        answers = await asyncio.gather(
            *(
                client.infer("message_sum", 3, message_inputs([1000 * i] * (1 + i % 3)), ["score"])
                for i in range(100)
            )
        )
    for i, answer in enumerate(answers):
        np.testing.assert_allclose(answer["score"], np.full((1 + i % 3, 1), float(i)), rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "version", "inputs", "outputs", "reason"),
    [
        ("message_absent", 1, message_inputs([1]), ["score"], "not_found"),
        ("message_sum", 9, message_inputs([1]), ["score"], "not_found"),
        ("message_sum", 3, message_inputs([1]), ["rating"], "bad_request"),
        ("message_sum", 3, {"tokens": message_inputs([1])["tokens"]}, ["score"], "bad_request"),
        (
            "message_sum",
            3,
            {k: v.astype(np.int32) for k, v in message_inputs([1]).items()},
            ["score"],
            "bad_request",
        ),
        ("message_sum", 3, message_inputs([1] * (MESSAGE.max_batch_size + 1)), ["score"], "bad_request"),
        ("message_picky", 1, message_inputs([666]), ["score"], "internal"),
    ],
)
async def test_errors_carry_their_reason(peaceful_triton, model, version, inputs, outputs, reason):
    async with client_of(peaceful_triton) as client:
        with pytest.raises(InferenceFailed) as caught:
            await client.infer(model, version, inputs, outputs)
    assert caught.value.reason == reason
    assert caught.value.retriable == (reason == "not_found")
    assert caught.value.detail


async def test_says_what_is_served(peaceful_triton: EmbeddedTriton):
    async with client_of(peaceful_triton) as client:
        assert await client.live()
        assert await client.ready("message_sum", 3)
        assert not await client.ready("message_sum", 5)
        assert not await client.ready("message_absent", 1)
        states = {(s.model, s.version): s.state for s in await client.index()}
        config = await client.config("message_sum")
    assert states["message_sum", 3] == states["message_sum", 4] == states["image_encoder", 1] == "READY"
    assert config.max_batch_size == MESSAGE.max_batch_size
    assert (config.inputs, config.outputs) == (MESSAGE.inputs, MESSAGE.outputs)
    assert config.parameters["sekisho.v4.tokenizer"] == TOKENIZER


async def test_a_model_can_be_unloaded_and_loaded(peaceful_triton: EmbeddedTriton):
    async with client_of(peaceful_triton) as client:
        await client.unload("message_root")
        with pytest.raises(InferenceFailed, match="not_found"):
            await client.config("message_root")
        await client.load("message_root")
        answer = await client.infer("message_root", 1, message_inputs([49]), ["score"])
    np.testing.assert_allclose(answer["score"], [[7.0]])


async def test_a_deadline_ends_a_call_that_takes_too_long(peaceful_triton: EmbeddedTriton):
    async with client_of(peaceful_triton, timeout_s=0.2) as client:
        with pytest.raises(InferenceFailed) as caught:
            await client.infer("message_slow", 1, message_inputs([1], status=3000), ["score"])
    assert caught.value.reason == "deadline"
    assert caught.value.retriable


async def test_nobody_there_is_a_reason_and_no_hang():
    async with TritonClient(targets("127.0.0.1:1", tls=False), timeout_s=5) as client:
        assert not await client.live()
        with pytest.raises(InferenceFailed) as caught:
            await client.infer("message_sum", 3, message_inputs([1]), ["score"])
    assert caught.value.reason == "unavailable"


async def test_settings_make_a_client(peaceful_triton: EmbeddedTriton):
    settings = Settings(triton=peaceful_triton.grpc_address, triton_timeout_s=10)
    async with TritonClient.from_settings(settings) as client:
        assert await client.ready("image_encoder", 1)


async def test_two_servers_share_the_requests_and_one_may_go(repository, start_triton):
    repository.put("message_sum", {1: message_sum("message_sum", 0.001)})
    first, second = start_triton(repository), start_triton(repository)
    both = targets(f"{first.grpc_address},{second.grpc_address}", tls=False)
    async with TritonClient(both, timeout_s=10) as client:
        # Until the second connection is there, all go to the first.
        while min(_served(first), _served(second)) < 5:
            await client.infer("message_sum", 1, message_inputs([1]), ["score"])
        assert await client.ready("message_sum", 1)
        first.kill()
        for _ in range(40):  # none fails
            await client.infer("message_sum", 1, message_inputs([1]), ["score"])


def _served(server: EmbeddedTriton) -> int:
    with urllib.request.urlopen(server.metrics_url) as response:
        text = response.read().decode()
    found = re.search(r'nv_inference_request_success\{model="message_sum",version="1"\} (\d+)', text)
    return int(found[1]) if found else 0
