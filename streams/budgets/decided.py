"""Thresholds that adaptive budgets decided: the records of the topic `thresholds`, and the policy with them (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from streams.alerts import Role
from streams.events import LATEST_US
from streams.policy import Domain, ModelRef, Policy

FORMAT: Final = 1
ROLES: Final[tuple[Role, ...]] = ("champion", "challenger")

#: A threshold that was neither decided nor renewed for so long is made from traffic of another time, and the file's holds.
LIFE_US: Final = 24 * 3600 * 1_000_000
#: While it holds and nothing changes, it is renewed so often: 23 times may fail.
RENEW_EVERY_US: Final = 3600 * 1_000_000

Threshold = Annotated[float, Meta(ge=0.0, le=1.0)]
Moment = Annotated[int, Meta(ge=0, le=LATEST_US)]


class Because(Struct, frozen=True, kw_only=True):
    """The numbers of the rolling day that a threshold follows from."""

    alerts_per_day: int
    by_rules: Annotated[float, Meta(description="Alerts by rules; they leave the rest to the models")]
    events: Annotated[float, Meta(description="Events of the domain's kind")]
    scored: Annotated[float, Meta(description="Of these, events that this model version was asked about")]
    wanted: Annotated[float, Meta(description="Of these, how many may alert by this model alone")]
    before: Annotated[float, Meta(description="How many would with the threshold that stood")]
    expected: Annotated[float, Meta(description="How many would with this one")]


class Decided(Struct, frozen=True, kw_only=True):
    """One threshold. It holds for this version of the model and as long as the file says `written`."""

    format: Literal[1] = FORMAT
    domain: str
    role: Role
    model: str
    version: int
    written: Threshold
    threshold: Threshold
    decided_at_us: Moment
    renewed_at_us: Annotated[Moment, Meta(description="When it was last found to hold still")] = 0
    because: Because

    @property
    def order(self) -> tuple[int, float, int]:
        """The greater is the newer; of two decided at once every worker takes the same."""
        return self.decided_at_us, self.threshold, self.renewed_at_us

    @property
    def held_at_us(self) -> int:
        """When it was last known to hold."""
        return max(self.decided_at_us, self.renewed_at_us)


#: What a threshold holds for: domain, role, model, version and the written threshold.
_Place = tuple[str, Role, str, int, float]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Decided)


def _holds_for(decided: Decided) -> _Place:
    return decided.domain, decided.role, decided.model, decided.version, float(decided.written)


def key_of(decided: Decided) -> bytes:
    """The record's key, `<domain>/<role>/<model>/<version>/<written>`: everything that a threshold holds for.

    While a new policy file is rolled out, workers with the old one still need the threshold that was decided for theirs.
    """
    return "/".join(map(str, _holds_for(decided))).encode()


def encode(decided: Decided) -> bytes:
    """The record's value."""
    return _encoder.encode(decided)


def decode(value: bytes) -> Decided:
    """Reads a record's value.

    Raises `msgspec.DecodeError` and `UnicodeDecodeError` for what this engine did not write, and `RecursionError` for
    what is nested deeper than the decoder goes.
    """
    return _decoder.decode(value)


class Decisions:
    """The newest threshold for each model and written threshold, in whatever order they are read."""

    def __init__(self) -> None:
        self._newest: dict[_Place, Decided] = {}
        self._alive_since_us = 0
        #: Grows with every change, so that what was made of the decisions can be kept until the next.
        self.changes = 0
        #: Records that this engine did not write.
        self.unreadable = 0

    def fold(self, value: bytes | None) -> None:
        """Take in the value of one record; a tombstone says nothing, what cannot be read is counted."""
        if value is None:
            return
        try:
            decided = decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.unreadable += 1
            return
        place = _holds_for(decided)
        known = self._newest.get(place)
        if known is None or decided.order > known.order:
            self._newest[place] = decided
            self.changes += 1

    def expire(self, now_us: int) -> None:
        """From now on only what was decided or renewed within `LIFE_US` before `now_us` holds."""
        before, self._alive_since_us = self._alive_since_us, now_us - LIFE_US
        first, last = sorted((before, self._alive_since_us))
        if any(first <= decided.held_at_us < last for decided in self._newest.values()):
            self.changes += 1

    def of(self, domain: Domain, role: Role) -> Decided | None:
        """What holds for the model that has this role in the domain; None where its written threshold does."""
        reference = reference_of(domain, role)
        if reference is None or role not in moved_roles(domain):
            return None
        found = self._newest.get(
            (domain.name, role, reference.model, reference.version, float(reference.threshold))
        )
        return None if found is None or found.held_at_us < self._alive_since_us else found

    def applied_to(self, policy: Policy) -> Policy:
        """The policy with the decided thresholds in place of the written ones; its version stays the file's."""
        domains = {name: self._applied(domain) for name, domain in policy.domains.items()}
        return replace(policy, domains=MappingProxyType(domains))

    def _applied(self, domain: Domain) -> Domain:
        return replace(
            domain,
            champion=self._standing(domain, "champion"),
            challenger=self._standing(domain, "challenger"),
        )

    def _standing(self, domain: Domain, role: Role) -> ModelRef | None:
        reference, decided = reference_of(domain, role), self.of(domain, role)
        if reference is None or decided is None:
            return reference
        return replace(reference, threshold=decided.threshold)


def reference_of(domain: Domain, role: Role) -> ModelRef | None:
    """The model that has this role in the domain, with its threshold."""
    return domain.champion if role == "champion" else domain.challenger


def moved_roles(domain: Domain) -> Iterable[Role]:
    """The roles whose thresholds an adaptive budget moves: of models that raise alerts. A shadow raises none."""
    if domain.budget_mode != "adaptive" or domain.champion is None:
        return ()
    return ROLES if domain.challenger is not None and domain.trial.mode != "shadow" else ("champion",)


def thresholds_of(policy: Policy) -> Mapping[tuple[str, Role], float]:
    """The threshold of every model that a policy names, by domain and role."""
    return {
        (name, role): reference.threshold
        for name, domain in policy.domains.items()
        for role in ROLES
        if (reference := reference_of(domain, role)) is not None
    }
