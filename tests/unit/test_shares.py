"""A stable share: the same for everybody, growing only, and as large as it says."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from streams.shares import place_of, within

_SHARES = st.floats(0.0, 1.0)
_NAMES = st.lists(st.text(max_size=20), max_size=4).map(tuple)


@given(_SHARES, _SHARES, st.text(max_size=20), _NAMES)
def test_a_larger_share_only_adds(one: float, other: float, salt: str, names: tuple[str, ...]) -> None:
    smaller, larger = sorted((one, other))
    assert within(larger, salt, *names) or not within(smaller, salt, *names)


@given(st.text(max_size=20), _NAMES)
def test_nothing_is_in_no_share_and_everything_in_the_whole(salt: str, names: tuple[str, ...]) -> None:
    assert not within(0.0, salt, *names)
    assert within(1.0, salt, *names)
    assert 0.0 <= place_of(salt, *names) < 1.0


def test_the_place_is_the_same_in_every_process_and_release() -> None:
    """A place that moved would send the same conversation to the other model in the middle of a canary."""
    assert place_of("canary:harassment:m:4", "t7") == 0.32899786422720145
    assert place_of("", "\ud800") != place_of("", "\ud801")


def test_the_split_of_the_names_counts() -> None:
    assert place_of("s", "ab", "c") != place_of("s", "a", "bc")
    assert place_of("sa", "b") != place_of("s", "ab")


def test_the_share_is_as_large_as_it_says() -> None:
    """20,000 names: four standard deviations of a binomial are 0.0139 at a share of 0.4 and 0.0044 at 0.025."""
    for share in (0.025, 0.4):
        found = sum(within(share, "salt", f"t{number}") for number in range(20_000)) / 20_000
        assert abs(found - share) < 4 * math.sqrt(share * (1 - share) / 20_000)


def test_two_salts_choose_independently() -> None:
    """Half of either: a quarter in both, within four standard deviations (0.0122)."""
    both = sum(within(0.5, "a", f"t{n}") and within(0.5, "b", f"t{n}") for n in range(20_000)) / 20_000
    assert abs(both - 0.25) < 0.0125
