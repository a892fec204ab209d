"""Which domains' rules fire on an example: the negatives that rules take for violations are hard ones."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from models.data.datasets import contract_listing
from models.data.examples import Example, Kind
from streams.events import Listing
from streams.features.tensors import WINDOW
from streams.rule_engine import RuleSet, ScannedTurn
from streams.screening import listing_facts

#: Examples may lie long back; no rule had expired then.
_NEVER_EXPIRED_US = 0


@dataclass(frozen=True, slots=True)
class RuleHits:
    """A rule set that is asked about examples. Rules in mode shadow count: they too take the example for a violation."""

    rules: RuleSet
    kind: Kind

    @property
    def version(self) -> str:
        """Of the rule set: another one may call other negatives hard."""
        return self.rules.version

    def domains(self, example: Example) -> frozenset[str]:
        """Domains of the rules that fire on the window's last message, or on the listing.

        The example must be one that `facts_of` has taken. Raises msgspec.ValidationError for fields of other types.
        """
        hits = self._message(example) if self.kind == "message" else self._listing(example)
        return frozenset(hits)

    def _message(self, example: Example) -> list[str]:
        window = example["messages"][-WINDOW:]
        turns = [
            ScannedTurn(str(number), message["writer"], self.rules.scan(message["text"]))
            for number, message in enumerate(window)
        ]
        last = window[-1]
        stated = {
            "status": example.get("status"),
            "writer": last["writer"],
            "sender_id": last.get("sender_id"),
        }
        facts = {name: value for name, value in stated.items() if value is not None}
        return [hit.domain for hit in self.rules.evaluate_message(turns, facts, at_us=_NEVER_EXPIRED_US)]

    def _listing(self, example: Example) -> list[str]:
        listing = msgspec.convert(contract_listing(example["listing"]), Listing)
        fields = {"title": listing.title, "description": listing.description}
        scans = {name: self.rules.scan(text) for name, text in fields.items()}
        hits = self.rules.evaluate_listing(scans, listing_facts(listing), at_us=_NEVER_EXPIRED_US)
        return [hit.domain for hit in hits]
