"""The arithmetic of the capacity guide: loads and costs to a deployment, and what of it breaks first (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Literal

from benchmarks.capacity.costs import Costs, EventCost

#: Share of a core that an even load may use. Chosen, not measured: at 0.6 what piled up while a worker was away for a
#: time t is worked off in t × 0.6 / (1 - 0.6) = 1.5 t, and a peak of 1.6 times the load is still carried.
FILLED = 0.6
#: Partitions for a worker. Chosen: shared out among workers, none has more than a fifth above its share when there are
#: four for each (5 instead of 4 where the numbers do not divide, and room for four times the workers later).
PARTITIONS_PER_WORKER = 4
#: What `SEKISHO_PARTITIONS` is by default.
LEAST_PARTITIONS = 8
#: Copies that Kafka keeps of a record.
REPLICAS = 3
#: Memory that a worker may have. Chosen. Windows that need more go to RocksDB, which keeps them on disk.
WORKER_BYTES = 8e9
#: Machines are counted in these; a network of 10 Gbit/s carries 1.25 GB/s.
MACHINE_CORES = 16
NETWORK_BYTES_PER_S = 1.25e9


@dataclass(frozen=True, slots=True)
class Load:
    """Messages and listings a second, and the conversations that are open."""

    messages_per_s: float
    listings_per_s: float = 0.0
    conversations: int = 0
    domains: int = 3


@dataclass(frozen=True, slots=True)
class Deployment:
    """What carries a load. Instances are of each model; one is one process and uses at most one core.

    `worker_bytes` is the memory of a worker, `state_bytes` the windows it holds as they stand in their changelog, and
    `takeover_s` the processor time to recover them all from there.
    """

    store: Literal["memory", "rocksdb"]
    workers: int
    partitions: int
    message_instances: int
    listing_instances: int
    encoder_instances: int
    worker_cores: float
    triton_cores: float
    broker_bytes_per_s: float
    predictions_bytes_per_day: float
    worker_bytes: float
    state_bytes: float
    takeover_s: float

    @property
    def machines(self) -> int:
        """Machines of `MACHINE_CORES` for workers and Triton, filled to `FILLED`."""
        return ceil((self.worker_cores + self.triton_cores) / FILLED / MACHINE_CORES)


@dataclass(frozen=True, slots=True)
class Limit:
    """A part of a deployment, and the messages a second at which it is full."""

    part: str
    messages_per_s: float


def deployment(load: Load, costs: Costs) -> Deployment:
    """The least that carries a load with `FILLED` of each core used. Raises KeyError for domains not measured."""
    message = costs.messages[load.domains]
    listing = costs.listing
    worker_cores = (
        costs.worker_factor
        * (load.messages_per_s * message.worker_us + load.listings_per_s * listing.worker_us)
        / 1e6
    )
    triton_cores = (load.messages_per_s * message.triton_us + load.listings_per_s * listing.triton_us) / 1e6
    workers = max(1, ceil(worker_cores / FILLED))
    bytes_out = load.messages_per_s * message.bytes_out + load.listings_per_s * listing.bytes_out
    bytes_in = load.messages_per_s * message.bytes_in + load.listings_per_s * listing.bytes_in
    held = load.conversations / workers
    fits = costs.resident_bytes + held * costs.conversation_bytes["memory"] <= WORKER_BYTES
    store: Literal["memory", "rocksdb"] = "memory" if fits else "rocksdb"
    return Deployment(
        store=store,
        workers=workers,
        partitions=max(LEAST_PARTITIONS, PARTITIONS_PER_WORKER * workers),
        message_instances=instances(load.messages_per_s, message.triton_us / message.models),
        listing_instances=instances(
            load.listings_per_s, (listing.triton_us - listing.encoder_us) / listing.models
        ),
        encoder_instances=instances(load.listings_per_s, listing.encoder_us),
        worker_cores=worker_cores,
        triton_cores=triton_cores,
        broker_bytes_per_s=REPLICAS * (bytes_in + bytes_out) + bytes_in,
        predictions_bytes_per_day=REPLICAS * bytes_out * 86_400,
        worker_bytes=costs.resident_bytes + held * costs.conversation_bytes[store],
        state_bytes=held * costs.changelog_bytes,
        takeover_s=held * costs.recovery_us[store] / 1e6,
    )


def instances(events_per_s: float, us: float) -> int:
    """Processes that take so many microseconds of each event, `FILLED` each; 0 without events."""
    return ceil(events_per_s * us / 1e6 / FILLED)


def limits(given: Deployment, load: Load, costs: Costs) -> list[Limit]:
    """What of a deployment is full at how many messages a second (cores filled wholly), the first to break first.

    Listings and conversations are taken to grow with the messages.
    """
    message = costs.messages[load.domains]
    per_message_us = 1e6 * (given.worker_cores / load.messages_per_s)
    bytes_per_message = given.broker_bytes_per_s / load.messages_per_s
    found = [
        Limit("the workers", given.workers * 1e6 / per_message_us),
        Limit("the instances of each message model", _full(given.message_instances, message)),
        Limit("a worker for every partition", given.partitions * 1e6 / per_message_us),
        Limit("one broker's network", NETWORK_BYTES_PER_S / bytes_per_message),
    ]
    windows_bytes = given.worker_bytes - costs.resident_bytes
    if windows_bytes:
        room = (WORKER_BYTES - costs.resident_bytes) / windows_bytes
        found.append(Limit(f"a worker's memory ({given.store})", room * load.messages_per_s))
    return sorted(found, key=lambda limit: limit.messages_per_s)


def _full(number: int, message: EventCost) -> float:
    return number * 1e6 / (message.triton_us / message.models)


def catalogue_days(listings: int, machines: int, costs: Costs) -> float:
    """Days that so many machines, filled to `FILLED`, take to screen listings with a picture each, once."""
    us = costs.worker_factor * costs.listing.worker_us + costs.listing.triton_us
    return listings * us / 1e6 / (machines * MACHINE_CORES * FILLED) / 86_400
