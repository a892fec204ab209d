"""The book of alerts and verdicts as a command reads it: once, to the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.review.intake import ReviewIntake
    from streams.settings import Settings


async def read_reviews(settings: Settings, stop: asyncio.Event, *, since_us: int) -> ReviewIntake:
    """Everything in `alerted` and `decisions` since a time, microseconds since 1970; less when `stop` is set.

    Raises `BrokerUnreachableError` and `NoSuchTopicError`.
    """
    from streams.kafka.shared_log import SharedLog
    from streams.review.book import Book
    from streams.review.intake import ReviewIntake

    names = {role: settings.topic(role) for role in ("alerted", "decisions")}
    intake = ReviewIntake(Book(), **names)
    await SharedLog(settings, names.values(), fold=intake.fold, since_us=since_us).read_to_end(stop)
    return intake
