"""Words that the event contract, the rules, the policy and the alerts share."""

from __future__ import annotations

from typing import Literal, get_args

#: What is screened: one message of a conversation, or one listing.
Kind = Literal["message", "listing"]
#: How bad a violation is, least first.
Severity = Literal["low", "medium", "high", "critical"]

KINDS: tuple[Kind, ...] = get_args(Kind)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
