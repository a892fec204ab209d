"""One rule, compiled: what makes it fire on texts that were scanned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from streams.rule_engine.match_tree import Covered, Found, Node, Part, compile_match, views_used
from streams.rule_engine.rule import WRITER_ID, Fact, Rule, View
from streams.rule_engine.scan import Atom, Scan, Vocabulary

_NOTHING: Mapping[View, Covered] = {}


class ScannedTurn(msgspec.Struct, frozen=True, eq=False):
    """A message of a conversation with its scan."""

    message_id: str
    writer: str
    scan: Scan


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule that can be asked. `exceptions` are the atoms of its exception phrases, `writers` those it spares."""

    rule: Rule
    version: str
    node: Node
    exceptions: Mapping[View, frozenset[Atom]]
    writers: frozenset[str]

    def spares(self, facts: Mapping[str, Fact]) -> bool:
        """Whether who wrote the event is excepted."""
        return bool(self.writers) and facts.get(WRITER_ID[self.rule.kind]) in self.writers

    def in_messages(self, turns: Sequence[ScannedTurn]) -> list[Found]:
        """The places that make it fire in a conversation, oldest message first."""
        read = _in_window(self.rule, turns)
        if self.rule.window.scope == "together":
            return self.node.find(self.parts((turn.message_id, "text", turn.scan) for turn in read))
        found: list[Found] = []
        for turn in read:  # each message by itself
            found += self.node.find(self.parts([(turn.message_id, "text", turn.scan)]))
        return found

    def in_fields(self, fields: Mapping[str, Scan]) -> list[Found]:
        """The places that make it fire in a listing, whose fields are read together."""
        return self.node.find(self.field_parts(fields))

    def message_parts(self, turns: Sequence[ScannedTurn]) -> list[list[Part]]:
        """The texts of a conversation that it reads, those that are read together in one list."""
        read = _in_window(self.rule, turns)
        if self.rule.window.scope == "together":
            return [self.parts((turn.message_id, "text", turn.scan) for turn in read)]
        return [self.parts([(turn.message_id, "text", turn.scan)]) for turn in read]

    def field_parts(self, fields: Mapping[str, Scan]) -> list[Part]:
        """The texts of a listing that it reads."""
        wanted = self.rule.fields or tuple(fields)
        return self.parts((None, name, scan) for name, scan in fields.items() if name in wanted)

    def parts(self, texts: Iterable[tuple[str | None, str, Scan]]) -> list[Part]:
        """The texts with the places of the rule's exception phrases."""
        if not self.exceptions:
            return [Part(message_id, name, scan, _NOTHING) for message_id, name, scan in texts]
        parts = []
        for message_id, name, scan in texts:
            excepted = {
                view: Covered([place for atom in atoms & scan.hits.keys() for place in scan.hits[atom]])
                for view, atoms in self.exceptions.items()
            }
            parts.append(Part(message_id, name, scan, excepted))
        return parts


def compile_rule(rule: Rule, vocabulary: Vocabulary) -> CompiledRule:
    """Compile a rule; its words and patterns are added to the vocabulary.

    Raises `BadRegex` for a pattern that does not compile and ValueError for a word that vanishes in its view.
    """
    node = compile_match(rule.match, vocabulary)
    exceptions: dict[View, frozenset[Atom]] = {}
    if rule.except_phrases:
        for view in sorted(views_used(rule.match)):
            exceptions[view] = frozenset(vocabulary.word(view, phrase) for phrase in rule.except_phrases)
    return CompiledRule(rule, rule.version(), node, exceptions, frozenset(rule.except_writers))


def _in_window(rule: Rule, turns: Sequence[ScannedTurn]) -> Sequence[ScannedTurn]:
    window = rule.window
    if window.scope == "last":
        return turns[-1:]
    writer = turns[-1].writer
    return [turn for turn in turns[-window.messages :] if not window.same_writer or turn.writer == writer]
