"""The `--since` option: `10m`, `2h`, `3d`, `start`, or a time, as microseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import click

START: Final = 0
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_AGO: Final = re.compile(r"(?P<number>[0-9]{1,9})(?P<unit>[smhd])")


def since_us(text: str, now: datetime) -> int:
    """The moment that `text` means. Raises `ValueError` saying what is understood."""
    if text == "start":
        return START
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return round(now.timestamp() * 1_000_000) - int(ago["number"]) * _SECONDS[ago["unit"]] * 1_000_000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither `start`, nor so long ago (90s, 10m, 2h, 3d), nor a time (2026-11-21T10:00:00Z)"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)


class Since(click.ParamType):
    """Converts the option's text when the command line is read, counting back from that moment."""

    name = "since"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Microseconds since 1970."""
        if isinstance(value, int):
            return value
        try:
            return since_us(value, datetime.now(UTC))
        except ValueError as error:
            self.fail(str(error), param, ctx)
