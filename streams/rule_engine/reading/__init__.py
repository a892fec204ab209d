"""Rule files as people write them, read into rules: every mistake is noted with its place, none is guessed away."""

from streams.rule_engine.reading.lists import read_list_file
from streams.rule_engine.reading.rules import ReadRule, RuleDomain, read_rule_file

__all__ = ["ReadRule", "RuleDomain", "read_list_file", "read_rule_file"]
