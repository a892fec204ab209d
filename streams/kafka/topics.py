"""The topics of the contract: which there are and how they are kept, making them, and comparing what is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from streams.kafka.clients import admin
from streams.kafka.limits import largest_input_bytes, largest_message_bytes
from streams.replay_files import INPUTS
from streams.settings import Settings
from streams.vocabulary import PATROL_DOMAIN

__all__ = [
    "INPUTS",
    "Difference",
    "Found",
    "Outcome",
    "TopicSpec",
    "alerts_topic",
    "catalogue",
    "compare",
    "create",
    "describe",
    "windows_changelog",
]

_DAY_MS: Final = 24 * 3600 * 1000
#: How long `create` waits for the new topics to have leaders: a producer that starts at once would only retry.
_LEADERS_TIMEOUT_S: Final = 15.0
#: For logs that every process reads whole: the last record of a key stays, and that no longer than the retention.
#: Only closed segments are compacted, so they are kept small, as the changelog's are (see `_changelog`).
_COMPACTED: Final = {
    "cleanup.policy": "compact,delete",
    "segment.bytes": str(64 << 20),
    "min.cleanable.dirty.ratio": "0.1",
}


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be. `role` is its name in the contract, `name` the full one with the prefix."""

    role: str
    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one topic in `create`."""

    topic: str
    result: Literal["created", "exists", "failed"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing about a topic that is not as specified; with `unknown`, one that the broker would not tell."""

    topic: str
    aspect: str
    expected: str
    found: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as the broker describes it; `config` is None where the broker would not tell."""

    partitions: int
    replication_factor: int
    config: Mapping[str, str] | None


def alerts_topic(settings: Settings, domain: str) -> str:
    """Full name of the topic that holds a domain's alerts."""
    return settings.topic(f"alerts.{domain}")


def windows_changelog(settings: Settings) -> str:
    """Full name of the changelog of the conversations' windows: Faust's own naming of a table's topic."""
    return f"{settings.topic_prefix}{settings.group}-windows-changelog"


def catalogue(settings: Settings, domains: Iterable[str]) -> tuple[TopicSpec, ...]:
    """Every topic of the contract for these domains, inputs first.

    All have the same number of partitions: Faust writes a window's changelog to the partition number of the event
    that changed it, and alerts keep the order of the conversation they speak of.
    """
    # LogAppendTime: an event without a plausible time of its own counts from the broker's clock, and a record stamped
    # 1970 by its producer would otherwise be deleted with the next segment.
    inputs = {
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(largest_input_bytes(settings)),
    }
    # Stays longer than an event may wait for its models, so that none disappears before its turn.
    rescore_ms = max(2 * _DAY_MS, int(2 * settings.rescore_max_age_s * 1000))
    specs = [
        _kept(settings, "listings", 7 * _DAY_MS, inputs),
        _kept(settings, "messages", 7 * _DAY_MS, inputs),
        # as long as the alerts they raise
        _kept(settings, "reports", 30 * _DAY_MS, inputs),
        # labels must outlive the predictions they judge
        _kept(settings, "decisions", 365 * _DAY_MS, inputs),
        *(_kept(settings, f"alerts.{domain}", 30 * _DAY_MS) for domain in sorted({*domains, PATROL_DOMAIN})),
        _kept(settings, "predictions", 90 * _DAY_MS),
        _kept(settings, "rescore", rescore_ms),
        _kept(settings, "deadletter", 30 * _DAY_MS),
        _kept(settings, "alerted", 90 * _DAY_MS, _COMPACTED),
        # five weeks can be compared, of which one is the reference
        _kept(settings, "statistics", 40 * _DAY_MS, _COMPACTED),
        _kept(settings, "thresholds", -1, {**_COMPACTED, "cleanup.policy": "compact"}),
        _changelog(settings),
    ]
    return tuple(specs)


async def create(settings: Settings, specs: Sequence[TopicSpec]) -> list[Outcome]:
    """Make the topics that are missing and wait until they have leaders; one outcome per spec, in order.

    Existing topics are left as they are (`describe` compares them): more partitions would send the same key
    elsewhere than its history. Raises `BrokerUnreachableError`.
    """
    async with admin(settings) as client:
        there = set(await client.list_topics())
        missing = [spec for spec in specs if spec.name not in there]
        refusals = await _create_missing(client, missing) if missing else {}
        made = [spec for spec in missing if spec.name not in refusals]
        without_leader = await _wait_for_leaders(client, made)
        return [_outcome(spec, there, refusals, without_leader) for spec in specs]


async def describe(settings: Settings, specs: Sequence[TopicSpec]) -> list[Difference]:
    """How the topics that are there differ from the specs; empty when they are as they should be.

    Where the broker does not describe configurations, each topic gets a difference marked `unknown`.
    Raises `BrokerUnreachableError`.
    """
    async with admin(settings) as client:
        found = await _found(client, [spec.name for spec in specs])
    return [difference for spec in specs for difference in compare(spec, found.get(spec.name))]


def compare(spec: TopicSpec, found: Found | None) -> list[Difference]:
    """What about a topic is not as specified."""
    if found is None:
        return [Difference(spec.name, "topic", "exists", "missing")]
    differences = []
    if found.partitions != spec.partitions:
        differences.append(Difference(spec.name, "partitions", str(spec.partitions), str(found.partitions)))
    if found.replication_factor < spec.replication_factor:
        differences.append(
            Difference(
                spec.name, "replication factor", str(spec.replication_factor), str(found.replication_factor)
            )
        )
    if found.config is None:
        return [*differences, Difference(spec.name, "configuration", "readable", "not told", unknown=True)]
    for option, expected in spec.config.items():
        actual = found.config.get(option)
        if actual is None:
            differences.append(Difference(spec.name, option, expected, "not told", unknown=True))
        elif actual != expected:
            differences.append(Difference(spec.name, option, expected, actual))
    return differences


def _kept(
    settings: Settings, role: str, retention_ms: int, extra: Mapping[str, str] | None = None
) -> TopicSpec:
    return TopicSpec(
        role=role,
        name=settings.topic(role),
        partitions=settings.partitions,
        replication_factor=settings.replication_factor,
        config={
            "cleanup.policy": "delete",
            "retention.ms": str(retention_ms),
            **_common_config(settings),
            **(extra or {}),
        },
    )


def _changelog(settings: Settings) -> TopicSpec:
    return TopicSpec(
        role="windows-changelog",
        name=windows_changelog(settings),
        partitions=settings.partitions,
        replication_factor=settings.replication_factor,
        config={
            "cleanup.policy": "compact",
            # Only closed segments are compacted, and a worker that takes over reads all that is left: at most 64 MiB
            # of open segment and a tenth of it dirty, instead of Kafka's 1 GiB and a half.
            "segment.bytes": str(64 << 20),
            "min.cleanable.dirty.ratio": "0.1",
            # A frozen worker that wakes may write an old state after a new one (agents/window_table.py `choose`): both
            # must be there when a worker takes over. Freezes of containers and machines last seconds to minutes.
            "min.compaction.lag.ms": str(600_000),
            **_common_config(settings),
        },
    )


def _common_config(settings: Settings) -> dict[str, str]:
    config = {"max.message.bytes": str(largest_message_bytes(settings))}
    if settings.replication_factor >= 3:
        # acks=all means little while one replica may be all there is
        config["min.insync.replicas"] = str(settings.replication_factor - 1)
    return config


async def _create_missing(client: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> dict[str, str]:
    """Ask for the topics; what the broker refused, by name."""
    response = await client.create_topics(
        [
            NewTopic(spec.name, spec.partitions, spec.replication_factor, topic_configs=dict(spec.config))
            for spec in specs
        ]
    )
    refusals = {}
    for name, code, *message in response.topic_errors:
        if code in (0, TopicAlreadyExistsError.errno):  # another process may have made it in the meantime
            continue
        said = message[0] if message and message[0] else for_code(code).description
        refusals[name] = f"{for_code(code).__name__}: {said}"
    return refusals


async def _wait_for_leaders(client: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> set[str]:
    """Wait until every partition of the topics has a leader; the names that have none in time."""
    waiting = {spec.name: spec.partitions for spec in specs}
    deadline = time.monotonic() + _LEADERS_TIMEOUT_S
    while waiting:
        for topic in await client.describe_topics():
            name, partitions = topic["topic"], topic["partitions"]
            if (
                name in waiting
                and len(partitions) >= waiting[name]
                and all(p["leader"] >= 0 for p in partitions)
            ):
                del waiting[name]
        if waiting and time.monotonic() > deadline:
            break
        if waiting:
            await asyncio.sleep(0.1)
    return set(waiting)


def _outcome(
    spec: TopicSpec, there: set[str], refusals: Mapping[str, str], without_leader: set[str]
) -> Outcome:
    if spec.name in there:
        return Outcome(spec.name, "exists")
    if spec.name in refusals:
        return Outcome(spec.name, "failed", refusals[spec.name])
    if spec.name in without_leader:
        detail = f"made, but not every partition has a leader after {_LEADERS_TIMEOUT_S:.0f} s"
        return Outcome(spec.name, "failed", detail)
    return Outcome(spec.name, "created", f"{spec.partitions} partitions")


async def _found(client: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, Found]:
    described = {
        topic["topic"]: topic["partitions"]
        for topic in await client.describe_topics()
        if topic["topic"] in set(names)
    }
    configs = await _configs(client, list(described))
    return {
        name: Found(
            partitions=len(partitions),
            replication_factor=min((len(p["replicas"]) for p in partitions), default=0),
            config=configs.get(name),
        )
        for name, partitions in described.items()
    }


async def _configs(client: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Configuration by topic; topics that the broker would not describe are left out."""
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    try:
        responses: list[Any] = await client.describe_configs(resources)
    except (
        KafkaError
    ):  # a broker without this request, or a client not allowed to ask: `compare` says "not told"
        return {}
    configs = {}
    for response in responses:
        for code, _message, _kind, name, entries, *_rest in response.resources:
            if code == 0:
                configs[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
    return configs
