"""Text from strangers, made safe to print on a terminal."""

from __future__ import annotations

import re
from typing import Final

#: Controls (an escape sequence could rewrite the screen), lone surrogates (cannot be encoded), and the marks that
#: reverse or hide text (what one reads would not be what was written).
_UNSAFE: Final = re.compile(
    "[\u0000-\u001f\u007f-\u009f\ud800-\udfff\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)


def printable(text: str, limit: int | None = None) -> str:
    """The text on one line with `�` for what must not reach a terminal, cut to `limit` characters with `…`.

    Line breaks and tabs become single spaces; every other character stays one character, so offsets hold.
    """
    line = _UNSAFE.sub(lambda found: " " if found[0] in "\n\r\t" else "\ufffd", text)
    return line if limit is None or len(line) <= limit else f"{line[: limit - 1]}…"
