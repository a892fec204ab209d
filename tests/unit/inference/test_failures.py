from __future__ import annotations

import pytest

from streams.inference.failures import InferenceFailed, reason_of


@pytest.mark.parametrize(
    ("status", "message", "reason", "retriable"),
    [
        ("StatusCode.UNAVAILABLE", "failed to connect to all addresses", "unavailable", True),
        (
            "StatusCode.UNAVAILABLE",
            "Server is stopping, scheduler for model has stopped",
            "unavailable",
            True,
        ),
        ("StatusCode.UNAVAILABLE", "This protocol is restricted, expecting header", "restricted", False),
        (
            "StatusCode.UNAVAILABLE",
            "Request for unknown model: 'm' version 2 is not at ready state",
            "not_found",
            True,
        ),
        ("StatusCode.CANCELLED", "CANCELLED", "unavailable", True),
        ("StatusCode.DEADLINE_EXCEEDED", "Deadline Exceeded", "deadline", True),
        ("StatusCode.NOT_FOUND", "Request for unknown model: 'm' is not found", "not_found", True),
        ("StatusCode.INVALID_ARGUMENT", "unexpected shape for input 'tokens'", "bad_request", False),
        ("StatusCode.INTERNAL", "onnxruntime: indices element out of data bounds", "internal", False),
        ("StatusCode.INTERNAL", "Stub process 'm_0_0' is not healthy.", "stub_dead", True),
        ("StatusCode.UNIMPLEMENTED", "", "internal", False),
        (None, "client is closed", "internal", False),
    ],
)
def test_reasons(status, message, reason, retriable):
    failure = InferenceFailed(reason_of(status, message), message)
    assert (failure.reason, failure.retriable) == (reason, retriable)
    assert str(failure) == f"{reason}: {message}"
