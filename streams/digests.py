"""A hash of several strings, the same in every process and release (pure)."""

from __future__ import annotations

import hashlib


def digest_of(*parts: str, size: int) -> bytes:
    """`size` bytes that no other split of the same characters shares: each part goes in behind its length."""
    blake = hashlib.blake2b(digest_size=size)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        blake.update(len(data).to_bytes(8, "big"))
        blake.update(data)
    return blake.digest()
