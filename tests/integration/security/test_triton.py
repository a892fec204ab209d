"""Mutual TLS and the admin key against a real Triton: who gets an answer, and what the key is needed and sent for."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from streams.embedded.triton import EmbeddedTriton
from streams.inference.failures import InferenceFailed
from streams.inference.triton import TritonClient
from streams.settings import Settings
from tests.integration.security.conftest import ADMIN_KEY, MODEL
from tests.integration.tiny_models import message_inputs
from tests.kafka_server.certificates import Certificates

pytestmark = pytest.mark.embedded


def _settings(server: EmbeddedTriton, tls: Certificates | None, **changed: Any) -> Settings:
    given: dict[str, Any] = {"triton": server.grpc_address, "triton_timeout_s": 10}
    if tls is not None:
        given |= {
            "triton_tls_ca_file": tls.authority.certificate,
            "triton_tls_cert_file": tls.client.certificate,
            "triton_tls_key_file": tls.client.key,
        }
    return Settings(**(given | changed))


async def _score(client: TritonClient) -> float:
    answer = await client.infer(MODEL, 1, message_inputs([1000]), ["score"])
    return float(answer["score"][0, 0])


async def test_both_sides_show_their_certificates(locked_triton: EmbeddedTriton, tls: Certificates) -> None:
    async with TritonClient.from_settings(_settings(locked_triton, tls)) as client:
        assert await _score(client) == pytest.approx(1.0)


WRONG_FILES = {
    "no client certificate": lambda _: {"triton_tls_cert_file": None, "triton_tls_key_file": None},
    "no TLS": lambda _: {
        "triton_tls_ca_file": None, "triton_tls_cert_file": None, "triton_tls_key_file": None,
    },
    "a stranger's certificate": lambda tls: {
        "triton_tls_cert_file": tls.stranger.certificate, "triton_tls_key_file": tls.stranger.key,
    },
    "an authority that did not sign the server": lambda tls: {
        "triton_tls_ca_file": tls.stranger.authority.certificate,
    },
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_FILES.values(), ids=WRONG_FILES.keys())
async def test_no_answer_without_the_right_certificates(
    locked_triton: EmbeddedTriton, tls: Certificates, wrong: Any
) -> None:
    settings = _settings(locked_triton, tls, **wrong(tls), triton_admin_key=SecretStr(ADMIN_KEY))
    async with TritonClient.from_settings(settings) as client:
        with pytest.raises(InferenceFailed) as caught:
            await _score(client)
        assert not await client.live()
    assert caught.value.reason == "unavailable"
    assert ADMIN_KEY not in str(caught.value)


async def test_a_server_of_another_host_is_not_talked_to(
    misnamed_triton: EmbeddedTriton, tls: Certificates
) -> None:
    settings = _settings(misnamed_triton, tls)
    async with TritonClient.from_settings(settings) as client:
        with pytest.raises(InferenceFailed) as caught:
            await _score(client)
    assert caught.value.reason == "unavailable"


@pytest.mark.parametrize("key", [None, "another-key"])
async def test_models_are_changed_only_with_the_key(
    locked_triton: EmbeddedTriton, tls: Certificates, key: str | None
) -> None:
    settings = _settings(locked_triton, tls, triton_admin_key=key and SecretStr(key))
    async with TritonClient.from_settings(settings) as client:
        for change in (client.load, client.unload, client.reload):
            with pytest.raises(InferenceFailed) as caught:
                await change(MODEL)
            assert caught.value.reason == "restricted"
        with pytest.raises(InferenceFailed) as caught:
            await client.index()
        assert caught.value.reason == "restricted"
        assert await client.ready(MODEL, 1), "what was refused must have changed nothing"
        assert await _score(client) == pytest.approx(1.0), "scoring needs no key"


async def test_with_the_key_models_are_unloaded_and_loaded(
    locked_triton: EmbeddedTriton, tls: Certificates
) -> None:
    settings = _settings(locked_triton, tls, triton_admin_key=SecretStr(ADMIN_KEY))
    async with TritonClient.from_settings(settings) as client:
        await client.unload(MODEL)
        assert not await client.ready(MODEL, 1)
        await client.load(MODEL)
        assert await client.ready(MODEL, 1)
        assert [state.model for state in await client.index()] == [MODEL]


async def test_the_key_is_not_sent_where_it_is_not_needed(wary_triton: EmbeddedTriton) -> None:
    """This server would answer scoring and health too if the key came with them."""
    settings = _settings(wary_triton, None, triton_admin_key=SecretStr(ADMIN_KEY))
    async with TritonClient.from_settings(settings) as client:
        assert [state.model for state in await client.index()] == [MODEL]
        for call in (_score(client), client.ready(MODEL, 1), client.requests(MODEL, 1)):
            with pytest.raises(InferenceFailed) as caught:
                await call
            assert caught.value.reason == "restricted"
        assert not await client.live()
