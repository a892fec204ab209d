"""A sample of a stream by hash: the same events in every export, and a larger sample holds the smaller one (pure)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class LowestHashes(Generic[Item]):
    """The `capacity` items with the lowest hashes, one per hash, whatever order they come in.

    Hashes are hex digits of one length, evenly spread, so that the items kept are a fair sample of all that came. Of
    two items of one hash (an event that was delivered twice) the one with the lower `rank` stays.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: dict[str, tuple[str, Item]] = {}
        # The highest hash on top: (its negative as a number, the hash). Every hash in it is in `_kept`.
        self._highest: list[tuple[int, str]] = []
        self.offered = 0

    def offer(self, digest: str, rank: str, item: Item) -> None:
        """Take the item in, if its hash is among the lowest."""
        self.offered += 1
        if (known := self._kept.get(digest)) is not None:
            if rank < known[0]:
                self._kept[digest] = (rank, item)
            return
        if self._capacity == 0 or (len(self._kept) == self._capacity and digest >= self._highest[0][1]):
            return
        if len(self._kept) == self._capacity:
            del self._kept[heapq.heappop(self._highest)[1]]
        heapq.heappush(self._highest, (-int(digest, 16), digest))
        self._kept[digest] = (rank, item)

    def __len__(self) -> int:
        return len(self._kept)

    def lowest_first(self) -> Iterator[Item]:
        """The items kept, in the order of their hashes."""
        for _, (_, item) in sorted(self._kept.items()):
            yield item
