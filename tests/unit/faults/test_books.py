"""The sender's ledger and the campaign's journal: what is written is what is read."""

from __future__ import annotations

from pathlib import Path

from tests.faults.journal import Journal, entries
from tests.faults.ledger import Acknowledged, Ledger, read


def test_the_ledger_gives_back_what_it_was_told_once_it_is_synced(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    noted = [Acknowledged(number, "messages", number % 4, number // 4) for number in range(10)]
    for entry in noted:
        ledger.note(entry)
    ledger.sync()
    assert list(read(tmp_path / "ledger")) == noted
    assert ledger.count == 10
    ledger.close()


def test_the_journal_is_read_by_what_it_speaks_of(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    first = journal.note("fault", kind="ＴＲＩＴＯＮ killed", number=1)
    journal.note("sample", lag=3)
    journal.note("fault", kind="poison", number=2)
    # readable while it is still being written
    found = list(entries(tmp_path / "journal", "fault"))
    assert [(entry["kind"], entry["number"]) for entry in found] == [
        ("ＴＲＩＴＯＮ killed", 1),
        ("poison", 2),
    ]
    assert found[0]["at_s"] == round(first, 3)
    journal.close()
