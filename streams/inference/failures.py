"""What an error of Triton means for the caller: its stable reason, and whether trying later can help."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "unavailable",  # no server answers, or it is stopping
    "deadline",  # no answer in time; also what a hung server looks like
    "breaker_open",  # not tried: the last calls to this model failed
    "not_found",  # the server does not serve this model version (yet)
    "stub_dead",  # the process that runs this model was killed, as by the kernel when memory ran out
    "restricted",  # the call needs the admin key
    "bad_request",  # the server refuses the tensors
    "internal",  # the model failed on these tensors
    "bad_output",  # the model's answer has not the contract's shape
    "bad_row",  # this row alone was refused or made the model fail
    "not_finite",  # the model's answer for this row is not a number
]

_RETRIABLE: frozenset[Reason] = frozenset(
    ("unavailable", "deadline", "breaker_open", "not_found", "stub_dead")
)
_REASONS: dict[str, Reason] = {
    "UNAVAILABLE": "unavailable",
    "CANCELLED": "unavailable",  # by the server, as when it stops; our own cancellation is not an error of Triton
    "RESOURCE_EXHAUSTED": "unavailable",
    "ABORTED": "unavailable",
    "DEADLINE_EXCEEDED": "deadline",
    "NOT_FOUND": "not_found",
    "UNAUTHENTICATED": "restricted",
    "PERMISSION_DENIED": "restricted",
    "INVALID_ARGUMENT": "bad_request",
}
#: Reasons that rows may carry into a batch, so that it is worth asking for each alone.
ROW_REASONS: frozenset[Reason] = frozenset(("bad_request", "internal"))


class InferenceFailed(Exception):
    """A call to Triton gave no answer. `retriable`: the same call may succeed later."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail

    @property
    def retriable(self) -> bool:
        """Whether the same call may succeed later."""
        return is_retriable(self.reason)


def is_retriable(reason: Reason) -> bool:
    """Whether waiting may help, rather than another model or another row."""
    return reason in _RETRIABLE


def reason_of(status: str | None, message: str) -> Reason:
    """The reason behind a gRPC status as tritonclient names it (`StatusCode.UNAVAILABLE`) and Triton's message."""
    # A killed stub is INTERNAL and lasts until the model is unloaded and loaded again; readiness does not show it.
    if "Stub process" in message and "not healthy" in message:
        return "stub_dead"
    # Said of a version that was taken out, or is being loaded, while the server and the other versions are well.
    if "not at ready state" in message:
        return "not_found"
    if "protocol is restricted" in message:
        return "restricted"
    return _REASONS.get((status or "").removeprefix("StatusCode."), "internal")
