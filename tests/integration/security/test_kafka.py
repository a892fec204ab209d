"""SASL and TLS against Apache Kafka: what the settings say is what the clients do, and who must stay out stays out."""

from __future__ import annotations

from typing import Any

import faust
import pytest
from pydantic import SecretStr

from streams.kafka.clients import BrokerUnreachableError, admin, consumer, producer
from streams.kafka.security import faust_credentials
from streams.kafka.topics import catalogue, create
from streams.settings import Settings
from tests.integration.security.conftest import PASSWORD, USERNAME
from tests.kafka_server.apache_kafka import SecureListeners

pytestmark = pytest.mark.kafka

MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN")


def sasl(listeners: SecureListeners, **changed: Any) -> Settings:
    """A login over TLS."""
    given = {
        "broker": f"127.0.0.1:{listeners.sasl_tls_port}",
        "partitions": 1,
        "security_protocol": "SASL_SSL",
        "security_username": USERNAME,
        "security_password": SecretStr(PASSWORD),
        "security_ca_file": listeners.certificates.authority.certificate,
    }
    return Settings(**(given | changed))


def sasl_in_the_clear(listeners: SecureListeners, **changed: Any) -> Settings:
    """A login without TLS."""
    port, protocol = listeners.sasl_port, "SASL_PLAINTEXT"
    return sasl(
        listeners,
        **{"broker": f"127.0.0.1:{port}", "security_protocol": protocol, "security_ca_file": None} | changed,
    )


def mutual(listeners: SecureListeners, **changed: Any) -> Settings:
    """TLS with a certificate on both sides."""
    given = {
        "broker": f"127.0.0.1:{listeners.mutual_tls_port}",
        "partitions": 1,
        "security_protocol": "SSL",
        "security_ca_file": listeners.certificates.authority.certificate,
        "security_cert_file": listeners.certificates.client.certificate,
        "security_key_file": listeners.certificates.client.key,
    }
    return Settings(**(given | changed))


WAYS_IN = [
    *(
        pytest.param(sasl, {"security_sasl_mechanism": mechanism}, id=f"{mechanism}-tls")
        for mechanism in MECHANISMS
    ),
    *(
        pytest.param(sasl_in_the_clear, {"security_sasl_mechanism": mechanism}, id=mechanism)
        for mechanism in MECHANISMS
    ),
    pytest.param(mutual, {}, id="mutual-tls"),
]


@pytest.mark.parametrize(("way", "changed"), WAYS_IN)
async def test_producer_consumer_and_admin_get_in(
    listeners: SecureListeners, way: Any, changed: dict[str, str], request: pytest.FixtureRequest
) -> None:
    settings = way(listeners, topic_prefix=f"{request.node.callspec.id}.", **changed)
    outcomes = await create(settings, catalogue(settings, ())[:1])
    topic = settings.topic("listings")
    async with producer(settings) as sender:
        await sender.send_and_wait(topic, b"hello")
    async with consumer(settings, topic) as receiver:
        record = await receiver.getone()

    assert [outcome.result for outcome in outcomes] == ["created"]
    assert record.value == b"hello"


@pytest.mark.parametrize(("way", "changed"), WAYS_IN)
async def test_faust_gets_in_with_the_same_settings(
    listeners: SecureListeners, way: Any, changed: dict[str, str]
) -> None:
    settings = way(listeners, topic_prefix="faust.", **changed)
    app = faust.App(
        "security-test",
        broker=f"kafka://{settings.broker}",
        broker_credentials=faust_credentials(settings),
        web_enabled=False,
        topic_disable_leader=True,
    )
    app.finalize()
    sender = app.producer
    await sender.start()
    try:
        await create(settings, catalogue(settings, ())[:1])
        metadata = await sender.send_and_wait(settings.topic("listings"), None, b"hello", None, None, {})
    finally:
        await sender.stop()

    assert metadata.topic == "faust.listings"


@pytest.mark.parametrize("way", [sasl, sasl_in_the_clear])
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(
    "wrong",
    [{"security_password": SecretStr("wr0ng-Secret")}, {"security_username": "nobody"}],
    ids=["password", "user"],
)
async def test_a_wrong_login_is_refused_with_a_sentence(
    listeners: SecureListeners, way: Any, mechanism: str, wrong: dict[str, Any]
) -> None:
    settings = way(listeners, security_sasl_mechanism=mechanism, **wrong)
    with pytest.raises(BrokerUnreachableError, match="lets this client in") as refused:
        async with admin(settings):
            pass
    assert settings.security_password is not None
    assert settings.security_password.get_secret_value() not in str(refused.value)


def _untrusted(listeners: SecureListeners) -> Settings:
    return sasl(listeners, security_ca_file=listeners.certificates.stranger.authority.certificate)


def _only_the_system_is_trusted(listeners: SecureListeners) -> Settings:
    return sasl(listeners, security_ca_file=None)


def _another_host(listeners: SecureListeners) -> Settings:
    return mutual(listeners, broker=f"127.0.0.1:{listeners.misnamed_port}")


def _no_certificate(listeners: SecureListeners) -> Settings:
    return mutual(listeners, security_cert_file=None, security_key_file=None)


def _a_strangers_certificate(listeners: SecureListeners) -> Settings:
    stranger = listeners.certificates.stranger
    return mutual(listeners, security_cert_file=stranger.certificate, security_key_file=stranger.key)


def _no_login(listeners: SecureListeners) -> Settings:
    return Settings(
        broker=f"127.0.0.1:{listeners.sasl_tls_port}",
        security_protocol="SSL",
        security_ca_file=listeners.certificates.authority.certificate,
    )


def _no_tls(listeners: SecureListeners) -> Settings:
    return sasl_in_the_clear(listeners, broker=f"127.0.0.1:{listeners.sasl_tls_port}")


@pytest.mark.parametrize(
    "kept_out",
    [
        _untrusted,
        _only_the_system_is_trusted,
        _another_host,
        _no_certificate,
        _a_strangers_certificate,
        _no_login,
        _no_tls,
    ],
)
async def test_who_must_stay_out_stays_out(listeners: SecureListeners, kept_out: Any) -> None:
    with pytest.raises(BrokerUnreachableError, match="lets this client in"):
        async with producer(kept_out(listeners), request_timeout_ms=5000):
            pass
