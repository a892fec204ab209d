"""What an operator reads when Kafka refuses a group or a topic."""

from __future__ import annotations

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
)

from streams.kafka.permissions import MissingPermissionError, explained


@pytest.mark.parametrize(
    ("error", "operation", "said"),
    [
        (GroupAuthorizationFailedError("p.sekisho"), "Write", "--operation Read --group p.sekisho"),
        (TopicAuthorizationFailedError("p.predictions"), "Write", "--operation Write --topic p.predictions"),
        (TopicAuthorizationFailedError({"b", "a"}), "Read", "--operation Read --topic a, b"),
        (TopicAuthorizationFailedError(), "Read", "--operation Read --topic NAME"),
    ],
)
def test_the_sentence_names_the_permission(error: Exception, operation: str, said: str) -> None:
    found = explained(error, operation=operation)  # type: ignore[arg-type]
    assert isinstance(found, MissingPermissionError)
    assert said in str(found)


def test_other_errors_stay_what_they_are() -> None:
    error = KafkaTimeoutError()
    assert explained(error, operation="Write") is error
