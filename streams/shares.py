"""A stable share of many: who belongs to it is decided by a hash, so that every worker and every replay agree (pure)."""

from __future__ import annotations

from typing import Final

from streams.digests import digest_of

#: 53 bits: what a float holds exactly, so that the comparison with the share has no rounding of its own.
_BITS: Final = 53


def place_of(salt: str, *names: str) -> float:
    """Where something stands between 0 (included) and 1 (not): evenly spread, the same for the same names.

    Another salt spreads the same names anew, so that two shares of the same traffic are independent of each other.
    """
    return (int.from_bytes(digest_of(salt, *names, size=8), "big") >> (64 - _BITS)) / (1 << _BITS)


def within(share: float, salt: str, *names: str) -> bool:
    """Whether something belongs to a share, 0 to 1, of all. A larger share only adds to a smaller one."""
    return place_of(salt, *names) < share
