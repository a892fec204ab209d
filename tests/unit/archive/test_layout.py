from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.archive.layout import named, newest_files, path_of, topics_of

NOON_MS = 1_795_262_400_000


def test_alerts_stand_by_domain_and_date_the_others_by_date() -> None:
    assert path_of("alerts.harassment", 3, 42, NOON_MS) == (
        "alerts/domain=harassment/date=2026-11-21/alerts.harassment-00003-00000000000000000042.parquet"
    )
    assert path_of("predictions", 0, 0, NOON_MS + 86_400_000).startswith("predictions/date=2026-11-22/")


@given(
    st.from_regex(r"(predictions|alerts\.[a-z0-9_-]{1,20})", fullmatch=True),
    st.integers(0, 99_999),
    st.integers(0, 2**63 - 1),
)
def test_a_name_tells_what_it_was_made_from(topic: str, partition: int, first: int) -> None:
    name = named(path_of(topic, partition, first, NOON_MS))
    assert name is not None
    assert (name.topic, name.partition, name.first) == (topic, partition, first)


def test_other_files_have_no_name() -> None:
    assert named("predictions/part-0.parquet") is None
    assert named("notes.txt") is None


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 10**12), st.integers(0, 2 * 10**12)), unique=True)
)
def test_the_newest_file_is_the_one_that_begins_last_whatever_its_date(
    files: list[tuple[int, int, int]],
) -> None:
    paths = [path_of("decisions", partition, first, at_ms) for partition, first, at_ms in files]
    begins = {place: named(path) for place, path in newest_files(paths).items()}
    for partition in {partition for partition, _, _ in files}:
        found = begins["decisions", partition]
        assert found is not None
        assert found.first == max(first for own, first, _ in files if own == partition)


def test_topics_of_the_data_sets_that_are_there() -> None:
    there = ["p.alerts.a", "p.alerts.patrol", "p.predictions", "p.messages", "predictions", "p.decisions"]
    assert topics_of(["alerts", "predictions"], there, "p.") == {
        "p.alerts.a": "alerts.a",
        "p.alerts.patrol": "alerts.patrol",
        "p.predictions": "predictions",
    }
