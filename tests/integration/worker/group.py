"""The workers' consumer group, asked of the broker: who is in it, who owns what, how far it has committed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from streams.kafka.clients import admin, consumer
from streams.kafka.reading import assign_all, present_ends
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Group:
    """`state` is Kafka's own word, e.g. `Stable`; `owned` has the partitions of each member."""

    state: str
    owned: tuple[tuple[TopicPartition, ...], ...]

    @property
    def members(self) -> int:
        return len(self.owned)

    def shares(self, partitions: Iterable[TopicPartition]) -> bool:
        """The group is at rest, and each of the partitions has one owner."""
        wanted = sorted(partitions)
        return self.state == "Stable" and wanted == sorted(
            tp for owned in self.owned for tp in owned if tp in wanted
        )


async def group_of(settings: Settings) -> Group:
    """The group as the broker describes it now."""
    async with admin(settings) as client:
        return await _described(client, settings)


async def until_group(
    settings: Settings, wanted: Callable[[Group], bool], what: str, *, timeout_s: float = 600.0
) -> Group:
    """Look again and again, as often as the broker answers, until the group is as wanted."""
    deadline = time.monotonic() + timeout_s
    async with admin(settings) as client:
        while not wanted(found := await _described(client, settings)):
            assert time.monotonic() < deadline, f"{what}: {found}"
            await asyncio.sleep(0.005)
    return found


async def ends(settings: Settings) -> dict[TopicPartition, int]:
    """Where the logs of `messages` and `listings` end."""
    async with consumer(settings) as client:
        topics = [settings.topic(name) for name in ("messages", "listings")]
        return await present_ends(client, await assign_all(client, topics))


async def committed(settings: Settings) -> dict[TopicPartition, int]:
    """What the group has committed of `messages` and `listings`; 0 where it has committed nothing."""
    partitions = await ends(settings)
    async with consumer(settings, group_id=_group_id(settings)) as client:
        return {tp: await client.committed(tp) or 0 for tp in partitions}


async def _described(client: AIOKafkaAdminClient, settings: Settings) -> Group:
    (response,) = await client.describe_consumer_groups([_group_id(settings)])
    ((_, _, state, _, _, members, *_),) = response.groups
    return Group(state, tuple(_partitions(member[4]) for member in members))


def _group_id(settings: Settings) -> str:
    return f"{settings.topic_prefix}{settings.group}"


def _partitions(assignment: bytes) -> tuple[TopicPartition, ...]:
    if not assignment:  # not told yet what it owns
        return ()
    decoded = ConsumerProtocolMemberAssignment.decode(assignment)
    return tuple(TopicPartition(topic, part) for topic, parts in decoded.assignment for part in parts)
