"""What Kafka's refusals mean for the operator: the permission that is missing, in a sentence, and how to give it."""

from __future__ import annotations

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

#: For whoever reads the sentence: the worker does not know by which name the brokers know it.
_USER = "the user of SEKISHO_SECURITY_USERNAME, or of the client certificate"


class MissingPermissionError(Exception):
    """Kafka refused a group or a topic; the message names the ACL. Waiting does not help, so it is no KafkaError."""


def explained(error: KafkaError, *, operation: str) -> Exception:
    """The error itself, or the sentence about the permission that it asks for.

    `operation` is what was tried with a topic (`Read`, `Write`); of a group only reading is asked.
    """
    named = ", ".join(_names(error))
    if isinstance(error, GroupAuthorizationFailedError):
        return MissingPermissionError(_sentence("Read", "group", named))
    if isinstance(error, TopicAuthorizationFailedError):
        return MissingPermissionError(_sentence(operation, "topic", named))
    kept: Exception = error  # aiokafka has no types
    return kept


def _sentence(operation: str, kind: str, named: str) -> str:
    return (
        f"Kafka refuses this worker the {kind} {named or '(not named)'}: {_USER} needs the ACL {operation} on it, e.g. "
        f"kafka-acls.sh --add --allow-principal User:NAME --operation {operation} --{kind} {named or 'NAME'}"
    )


def _names(error: KafkaError) -> list[str]:
    """The errors carry a name, or several."""
    return sorted(
        str(name)
        for argument in error.args
        for name in (argument if isinstance(argument, set | frozenset | list | tuple) else (argument,))
    )
