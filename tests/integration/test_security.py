"""SASL and TLS against Apache Kafka: what the settings say is what the clients do."""

from __future__ import annotations

import os
from collections.abc import Iterator

import faust
import pytest
from pydantic import SecretStr

from streams.kafka.clients import BrokerUnreachableError, admin, consumer, producer
from streams.kafka.security import faust_credentials
from streams.kafka.topics import catalogue, create
from streams.settings import Settings
from tests.integration.conftest import apache_kafka
from tests.kafka_server import certificates
from tests.kafka_server.apache_kafka import SecureListeners, free_ports

pytestmark = pytest.mark.kafka

USERNAME, PASSWORD = "sekisho", "correct-horse"


@pytest.fixture(scope="module")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureListeners]:
    if not certificates.available():
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail("openssl is not on the PATH")
        pytest.skip("openssl is not on the PATH")
    directory = tmp_path_factory.mktemp("secure")
    scram_port, mutual_port = free_ports(2)
    secure = SecureListeners(
        scram_port, mutual_port, USERNAME, PASSWORD, certificates.make(directory / "tls")
    )
    server = apache_kafka(directory, secure=secure)
    server.start()
    try:
        yield secure
    finally:
        server.stop()


def _scram(listeners: SecureListeners, prefix: str, password: str = PASSWORD) -> Settings:
    return Settings(
        broker=f"127.0.0.1:{listeners.scram_port}",
        topic_prefix=prefix,
        partitions=1,
        security_protocol="SASL_SSL",
        security_sasl_mechanism="SCRAM-SHA-512",
        security_username=USERNAME,
        security_password=SecretStr(password),
        security_ca_file=listeners.certificates.ca,
    )


def _mutual(listeners: SecureListeners, prefix: str) -> Settings:
    return Settings(
        broker=f"127.0.0.1:{listeners.mutual_tls_port}",
        topic_prefix=prefix,
        partitions=1,
        security_protocol="SSL",
        security_ca_file=listeners.certificates.ca,
        security_cert_file=listeners.certificates.client_cert,
        security_key_file=listeners.certificates.client_key,
    )


@pytest.mark.parametrize("make", [_scram, _mutual])
async def test_producer_consumer_and_admin_get_in(listeners: SecureListeners, make: object) -> None:
    settings = make(listeners, f"{make.__name__[1:]}.")  # type: ignore[operator, attr-defined]
    outcomes = await create(settings, catalogue(settings, ())[:1])
    topic = settings.topic("listings")
    async with producer(settings) as sender:
        await sender.send_and_wait(topic, b"hello")
    async with consumer(settings, topic) as receiver:
        record = await receiver.getone()

    assert [outcome.result for outcome in outcomes] == ["created"]
    assert record.value == b"hello"


@pytest.mark.parametrize("make", [_scram, _mutual])
async def test_faust_gets_in_with_the_same_settings(listeners: SecureListeners, make: object) -> None:
    settings = make(listeners, "faust.")  # type: ignore[operator]
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


async def test_a_wrong_password_is_refused_with_a_sentence(listeners: SecureListeners) -> None:
    with pytest.raises(BrokerUnreachableError, match="lets this client in"):
        async with admin(_scram(listeners, "x.", password="wrong")):
            pass


async def test_a_client_without_certificate_is_refused(listeners: SecureListeners) -> None:
    settings = _mutual(listeners, "x.").model_copy(
        update={"security_cert_file": None, "security_key_file": None}
    )
    with pytest.raises(BrokerUnreachableError):
        async with producer(settings):
            pass


async def test_a_broker_of_another_authority_is_not_trusted(listeners: SecureListeners) -> None:
    settings = _scram(listeners, "x.").model_copy(update={"security_ca_file": None})
    with pytest.raises(BrokerUnreachableError):
        async with producer(settings):
            pass
