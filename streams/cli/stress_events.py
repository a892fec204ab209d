"""Where `sekisho stress` takes its events from: files, or ordinary talk and the samples of the deployment's rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.stress.material import Draft, Topic


class NotRun(click.ClickException):
    """The test could not be made: wrong use, no broker, no topics, no events."""

    exit_code = 2


def drafts_for(
    settings: Settings, files: tuple[str, ...], *, seed: int, listing_share: float
) -> Callable[[], Iterator[Draft]]:
    """Makes the events of a run, from the beginning each time: those of the files, or built-in ones.

    Raises `NotRun` when there are none.
    """
    if files:
        return _of_files(files)
    from streams.rulebook.files import take_snapshot
    from streams.stress.built_in import drafts
    from streams.stress.rule_samples import NoPolicy, rule_samples

    now_us = round(datetime.now(UTC).timestamp() * 1_000_000)
    try:
        samples = rule_samples(take_snapshot(settings.rules_dir).files, now_us=now_us)
    except (OSError, NoPolicy) as error:
        raise NotRun(
            f"the built-in events take what rules fire on from the rules in {settings.rules_dir}, which cannot be "
            f"read: {error}. Set SEKISHO_RULES_DIR to the deployment's rules, or give events with --from"
        ) from error
    return lambda: drafts(samples, seed=seed, listing_share=listing_share)


def _of_files(files: tuple[str, ...]) -> Callable[[], Iterator[Draft]]:
    from streams.cli.produce import outgoing
    from streams.replay_files import Outgoing, Refusal
    from streams.stress.from_records import UnusableEvent, mixed, read_drafts

    # Each line is an event of one of the two; a line that both refuse is of neither.
    topics: tuple[Topic, ...] = ("messages", "listings")
    read = {topic: list(outgoing(files, topic)) for topic in topics}
    refused = [{(r.path, r.line): r for r in records if isinstance(r, Refusal)} for records in read.values()]
    of_neither = [refused[0][place] for place in refused[0] if place in refused[1]]
    if of_neither:
        raise NotRun(f"{len(of_neither)} lines are neither messages nor listings, e.g. {of_neither[0]}")
    try:
        messages, listings = (
            read_drafts(topic, (r for r in records if isinstance(r, Outgoing)))
            for topic, records in read.items()
        )
    except UnusableEvent as error:
        raise NotRun(f"an event of {', '.join(files)} cannot be sent: {error}") from error
    if not messages and not listings:
        raise NotRun(f"there are no events in {', '.join(files)}")
    return lambda: mixed(messages, listings)
