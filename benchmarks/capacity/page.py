"""docs/scaling.md: how large a deployment must be, computed from measured costs with the arithmetic shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.capacity.costs import AXES, Costs, EventCost, costs_of
from benchmarks.capacity.sizing import (
    FILLED,
    LEAST_PARTITIONS,
    MACHINE_CORES,
    NETWORK_BYTES_PER_S,
    PARTITIONS_PER_WORKER,
    REPLICAS,
    WORKER_BYTES,
    Deployment,
    Load,
    catalogue_days,
    deployment,
    limits,
)

#: Messages a second that the guide steps through, and the domains it does so for.
STEPS = (1_000, 10_000, 100_000)
DOMAINS = (3, 10)
#: One listing for so many messages: an assumption. So many messages to a conversation: another.
MESSAGES_PER_LISTING = 10
MESSAGES_PER_CONVERSATION = 10
#: A window is kept for `SEKISHO_WINDOW_ENDED_DAYS` after its transaction ended, a week, so for each message a second
#: 604,800 / 10 of them are held.
CONVERSATIONS_PER_RATE = 604_800 // MESSAGES_PER_CONVERSATION
CATALOGUE = 100_000_000

_INTRODUCTION = """\
# How large a deployment must be

*Written by `python -m benchmarks.capacity --page` from `benchmarks/results/scaling.json`; do not edit. For a load of your own:*

```
python -m benchmarks.capacity --messages-per-s 2500 --listings-per-s 100 --conversations 3000000 --domains 10
```

Everything here is arithmetic on a few measured figures. They are of one machine and of generated text: measure on yours
(`python -m benchmarks.scaling`, then `--page`), and test the deployment that comes of it with `sekisho stress`
([stress.md](stress.md)). Models on a GPU cost other figures; these are of the processor."""


def page(result: Mapping[str, Any]) -> str:
    """The page. Raises `NotMeasured` for a result without the axes that it needs."""
    costs = costs_of(result)
    parts = [
        _INTRODUCTION,
        "## What was measured",
        _measured(costs),
        _sources(result),
        "## The rules",
        _rules(costs),
        "## Step by step",
        *(_steps(costs, domains) for domains in DOMAINS if domains in costs.messages),
        _worked(costs),
        "## What breaks first",
        *_breaking(costs),
        "## A catalogue of 100 million listings",
        _catalogue(costs),
    ]
    return "\n\n".join(parts) + "\n"


def typical(messages_per_s: float, domains: int) -> Load:
    """The load that the tables are for."""
    return Load(
        messages_per_s,
        messages_per_s / MESSAGES_PER_LISTING,
        round(messages_per_s * CONVERSATIONS_PER_RATE),
        domains,
    )


def described(load: Load, found: Deployment) -> str:
    """A deployment in a few lines, for the command."""
    return "\n".join(
        [
            f"{load.messages_per_s:,.0f} messages/s, {load.listings_per_s:,.0f} listings/s, "
            f"{load.conversations:,} conversations, {load.domains} message domains:",
            f"  workers               {found.workers:,} (they use {found.worker_cores:.1f} cores)",
            f"  partitions            {found.partitions:,}",
            f"  Triton                {found.triton_cores:.1f} cores; instances of each message model "
            f"{found.message_instances}, of each listing model {found.listing_instances}, "
            f"of the image encoder {found.encoder_instances}",
            f"  machines              {found.machines} of {MACHINE_CORES} cores, without the brokers",
            f"  Kafka, all brokers    {found.broker_bytes_per_s / 1e6:,.1f} MB/s; outputs of a day "
            f"{found.predictions_bytes_per_day / 1e9:,.0f} GB",
            f"  window store          {found.store}: {found.worker_bytes / 1e6:,.0f} MB of memory a worker, "
            f"{found.state_bytes / 1e6:,.0f} MB of windows",
            f"  takeover of a worker  {found.takeover_s:.0f} s of processor time for its windows",
        ]
    )


def _measured(costs: Costs) -> str:
    rows = [
        *(
            (f"message, {number} domain{'s' if number > 1 else ''}", cost)
            for number, cost in sorted(costs.messages.items())
        ),
        ("listing with one picture", costs.listing),
    ]
    lines = [
        "| per event | worker, µs | Triton and models, µs | of it encoder | broker, µs | bytes in | bytes out |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *(_cost_row(name, cost) for name, cost in rows),
    ]
    stores = "; ".join(
        f"{store}: {costs.conversation_bytes[store]:,.0f} bytes of a worker's memory and "
        f"{costs.recovery_us[store]:.1f} µs of processor time when it starts"
        for store in costs.conversation_bytes
    )
    return (
        "\n".join(lines)
        + f"\n\nA conversation that is held costs, in {stores}. A worker that holds almost none takes "
        f"{costs.resident_bytes / 1e6:,.0f} MB. Where several workers share the partitions an event takes "
        f"{costs.worker_factor:.2f} times the worker's time."
    )


def _cost_row(name: str, cost: EventCost) -> str:
    return (
        f"| {name} | {cost.worker_us:,.0f} | {cost.triton_us:,.0f} | {cost.encoder_us:,.0f} | {cost.broker_us:,.0f} "
        f"| {cost.bytes_in:,.0f} | {cost.bytes_out:,.0f} |"
    )


def _sources(result: Mapping[str, Any]) -> str:
    named = "; ".join(
        f"{axis}: {result['axes'][axis]['date']}, {result['axes'][axis]['machine']}" for axis in AXES
    )
    return f"Medians of `benchmarks/results/scaling.json` ([the page](results/scaling.md)). {named}."


def _rules(costs: Costs) -> str:
    return f"""\
1. **Cores** = events a second × µs per event ÷ 1,000,000, and none is filled beyond {FILLED:.0%}: what piles up while a
   worker is away for a time *t* is then worked off in {FILLED / (1 - FILLED):.1f} *t*.
2. **Workers** = the workers' cores ÷ {FILLED}, rounded up: a worker is one process with one event loop and uses one core.
3. **Partitions** = {PARTITIONS_PER_WORKER} × workers, at least {LEAST_PARTITIONS}. Their number cannot be changed without
   moving conversations to other partitions, so choose it for the step after the next.
4. **Triton**: an instance of a model on the processor is one process and uses one core. Instances of each message model
   = messages a second × (Triton's µs ÷ models) ÷ 1,000,000 ÷ {FILLED}, rounded up.
5. **Kafka**: every record is kept {REPLICAS} times, and the worker reads what came in:
   bytes/s of all brokers = {REPLICAS} × (in + out) + in, before compression.
6. **Memory of a worker** = {costs.resident_bytes / 1e6:,.0f} MB + conversations ÷ workers × bytes of a conversation. Where
   that is above {WORKER_BYTES / 1e9:g} GB with windows in memory, they go to RocksDB, whose disk holds
   {costs.changelog_bytes:,.0f} bytes of each as they stand in the changelog, before compression.

{FILLED:.0%}, {PARTITIONS_PER_WORKER} partitions, {REPLICAS} copies, {WORKER_BYTES / 1e9:g} GB and machines of {MACHINE_CORES}
cores are choices, not measurements. The tables assume a listing with a picture for every {MESSAGES_PER_LISTING} messages, and
conversations of {MESSAGES_PER_CONVERSATION} messages whose windows are kept for a week after they ended, as is the default
(604,800 s ÷ {MESSAGES_PER_CONVERSATION} = {CONVERSATIONS_PER_RATE:,} for each message a second). A shorter
`SEKISHO_WINDOW_ENDED_DAYS` holds fewer."""


def _steps(costs: Costs, domains: int) -> str:
    plans = [(load := typical(step, domains), deployment(load, costs)) for step in STEPS]
    rows: Sequence[tuple[str, Any]] = (
        ("listings/s", lambda load, _: f"{load.listings_per_s:,.0f}"),
        ("conversations held", lambda load, _: f"{load.conversations / 1e6:,.1f} M"),
        ("workers' cores, used", lambda _, found: f"{found.worker_cores:,.1f}"),
        ("**workers**", lambda _, found: f"{found.workers:,}"),
        ("**partitions**", lambda _, found: f"{found.partitions:,}"),
        ("Triton's cores, used", lambda _, found: f"{found.triton_cores:,.1f}"),
        ("**instances** of each message model", lambda _, found: f"{found.message_instances:,}"),
        ("of each listing model", lambda _, found: f"{found.listing_instances:,}"),
        ("of the image encoder", lambda _, found: f"{found.encoder_instances:,}"),
        (f"machines of {MACHINE_CORES} cores", lambda _, found: f"{found.machines:,}"),
        ("Kafka, all brokers, MB/s", lambda _, found: f"{found.broker_bytes_per_s / 1e6:,.0f}"),
        ("outputs of a day, GB", lambda _, found: f"{found.predictions_bytes_per_day / 1e9:,.0f}"),
        ("window store", lambda _, found: found.store),
        ("memory of a worker, GB", lambda _, found: f"{found.worker_bytes / 1e9:,.1f}"),
        ("its windows, GB", lambda _, found: f"{found.state_bytes / 1e9:,.1f}"),
        ("processor time to take them over, s", lambda _, found: f"{found.takeover_s:,.0f}"),
    )
    lines = [
        f"### {domains} message domains",
        "",
        "| messages/s | " + " | ".join(f"{step:,}" for step in STEPS) + " |",
        "|---|" + "--:|" * len(STEPS),
        *(f"| {name} | " + " | ".join(cell(*plan) for plan in plans) + " |" for name, cell in rows),
    ]
    return "\n".join(lines)


def _worked(costs: Costs) -> str:
    domains = next(number for number in DOMAINS if number in costs.messages)
    load = typical(STEPS[1], domains)
    found = deployment(load, costs)
    message, listing = costs.messages[domains], costs.listing
    return f"""\
Worked out for {load.messages_per_s:,.0f} messages/s and {domains} domains:

- workers: ({load.messages_per_s:,.0f} × {message.worker_us:,.0f} µs + {load.listings_per_s:,.0f} × {listing.worker_us:,.0f} µs)
  × {costs.worker_factor:.2f} ÷ 1,000,000 = {found.worker_cores:.1f} cores; ÷ {FILLED} → {found.workers} workers;
  × {PARTITIONS_PER_WORKER} → {found.partitions} partitions
- Triton: ({load.messages_per_s:,.0f} × {message.triton_us:,.0f} µs + {load.listings_per_s:,.0f} × {listing.triton_us:,.0f} µs)
  ÷ 1,000,000 = {found.triton_cores:.1f} cores; each message model {load.messages_per_s:,.0f} × {message.triton_us / message.models:,.0f} µs
  ÷ 1,000,000 ÷ {FILLED} → {found.message_instances} instances
- machines: ({found.worker_cores:.1f} + {found.triton_cores:.1f}) ÷ {FILLED} ÷ {MACHINE_CORES} → {found.machines}
- memory of a worker: {load.conversations:,} ÷ {found.workers} × {costs.conversation_bytes[found.store]:,.0f} bytes
  + {costs.resident_bytes / 1e6:,.0f} MB = {found.worker_bytes / 1e9:.1f} GB ({found.store})"""


def _breaking(costs: Costs) -> list[str]:
    domains = next(number for number in DOMAINS if number in costs.messages)
    said = [
        f"Each deployment above ({domains} domains) while its load grows with everything else as it is: messages a second at "
        f"which a part is full, cores filled wholly, and a broker alone on a network of {NETWORK_BYTES_PER_S / 1e9:g} GB/s.",
    ]
    lines = ["| made for | breaks first | then | then | then | last |", "|--:|---|---|---|---|---|"]
    for step in STEPS:
        load = typical(step, domains)
        found = limits(deployment(load, costs), load, costs)
        lines.append(
            f"| {step:,} | "
            + " | ".join(f"{each.part}: {each.messages_per_s:,.0f}/s" for each in found)
            + " |"
        )
    default = limits(_default(costs, domains), typical(STEPS[0], domains), costs)
    said.append("\n".join(lines))
    said.append(
        f"One worker, one instance of each model and {LEAST_PARTITIONS} partitions, as they are by default, carry up to "
        f"{default[0].messages_per_s:,.0f} messages/s; what is full first: {default[0].part}."
    )
    said.append(_CURES)
    return said


def _default(costs: Costs, domains: int) -> Deployment:
    """One of everything, under the load of the first step."""
    found = deployment(typical(STEPS[0], domains), costs)
    held = typical(STEPS[0], domains).conversations
    return replace(
        found,
        store="memory",
        workers=1,
        partitions=LEAST_PARTITIONS,
        message_instances=1,
        listing_instances=1,
        encoder_instances=1,
        worker_bytes=costs.resident_bytes + held * costs.conversation_bytes["memory"],
    )


_CURES = """\
| what is full | how it shows | cure |
|---|---|---|
| the workers | lag grows on every partition, a worker's core is full | more workers, up to the partitions |
| instances of a model | lag grows, workers' cores are not full, `sekisho_stage_seconds` of `score` rises; later `rescore` fills | `instances` in the model's config.pbtxt, more Triton servers in `SEKISHO_TRITON`, a GPU |
| partitions | more workers change nothing: some own none | new topics with more partitions, conversations drained from the old ones first |
| a broker's network or disk | acknowledgements take longer, `acknowledged` in `sekisho stress` | more brokers, shorter retention of `predictions` |
| memory of a worker | the platform kills it | `SEKISHO_WINDOW_STORE=rocksdb`, shorter lives of conversations ([windows.md](windows.md)), more workers |
| the group itself | each rebalance stops all workers for its length: the more workers, the more often one comes or goes | start and stop workers one at a time; several groups of topics by region instead of one of hundreds of workers |"""


def _catalogue(costs: Costs) -> str:
    listing = costs.listing
    us = costs.worker_factor * listing.worker_us + listing.triton_us
    lines = [
        "Listings leave nothing in a worker's memory: what 100 million cost is screening each once (a new domain, a new model), "
        "and the predictions that are kept.",
        "",
        f"- processor time: {CATALOGUE:,} × {us:,.0f} µs = {CATALOGUE * us / 1e6 / 3600:,.0f} hours of one core, of which the "
        f"image encoder takes {CATALOGUE * listing.encoder_us / 1e6 / 3600:,.0f}",
        f"- outputs: {CATALOGUE:,} × {listing.bytes_out:,.0f} bytes × {REPLICAS} copies = "
        f"{CATALOGUE * listing.bytes_out * REPLICAS / 1e12:.2f} TB before compression",
        "",
        f"| machines of {MACHINE_CORES} cores, filled to {FILLED:.0%} | days | listings/s |",
        "|--:|--:|--:|",
    ]
    for machines in (1, 4, 16):
        days = catalogue_days(CATALOGUE, machines, costs)
        lines.append(f"| {machines} | {days:,.1f} | {CATALOGUE / days / 86_400:,.0f} |")
    lines += [
        "",
        "Send a catalogue through topics of its own (`SEKISHO_TOPIC_PREFIX`) with workers of its own, so that what sellers put "
        "up today does not wait behind it.",
    ]
    return "\n".join(lines)
