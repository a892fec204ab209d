"""What a shared trunk costs in quality: average precision by domain, beside a model of each domain's own.

    python -m benchmarks.models.trunk DATA [--fleet real|generated] [--seeds 3]

DATA holds convabuse/ and conda/. Two fleets of domains: `real`, those two sets, whose examples know only their own
domain's label, and `generated`, the three domains of the corpus that the shipped models are made from. For each domain:

- a model of its own, trained as the shipped manifests say (`generated`); of the real sets, the runs that
  `benchmarks.models.messages` left, under the same seeds;
- a head on a frozen trunk that was trained on all domains of the fleet, this one among them;
- a head on a frozen trunk that was trained on the other domains only: what a domain gets that is added later.

Every plan below was set before anything was scored and is the same for all seeds; epochs are chosen on the validation
parts; each test part is scored once a model. A seed changes weights, order and the choice of negatives, not the data.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import click
import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.models.messages import COURSES, HEADLINES, NETWORK, PARTS, read_parts
from benchmarks.models.record import RESULTS, Spread, Stopwatch, record, save
from benchmarks.models.trunk_page import PAGE, VARIANTS, write_page
from models.data.datasets import MessageSet, downsampled, message_set
from models.data.sampling import sampled
from models.networks.conversation import ConversationShape
from models.shipped.corpus import PartName, message_part
from models.systems.contract import Context, Parts, Trained
from models.systems.frozen_trunk import FrozenTrunk
from models.systems.message_head import train_head
from models.systems.message_network import SYSTEM as SEPARATE
from models.systems.message_trunk import TrunkOptions, TrunkTraining, train_trunk
from models.training.device import Device
from models.training.loop import TrainingPlan
from streams.features.tokens import TextPipeline

BENCHMARK: Final = "trunk"
OWN, KNOWN, LATER = VARIANTS
FIGURES: Final = ("average_precision", "auroc")
#: Figures of the runs that are done, in the order of their seeds, by fleet, domain and variant.
Gathered: TypeAlias = dict[tuple[str, str, str], list[dict[str, float]]]
#: Windows of each part of the generated fleet, and negatives kept for a positive when training.
_GENERATED: Final[Mapping[PartName, int]] = {"training": 20_000, "selection": 6_000, "held_out": 20_000}
_NEGATIVES: Final = 3.0
_DATA_SEED: Final = 1
_DROPOUT: Final = {"dropout": 0.3, "word_dropout": 0.1}


@dataclass(frozen=True, slots=True)
class Sections:
    """A manifest's two sections, for a system that is called directly."""

    network: Any
    training: Any


@dataclass(frozen=True, slots=True)
class Fleet:
    """Domains that may share a trunk. `parts` are a domain's own for training and choosing, `tests` what is scored."""

    domains: tuple[str, ...]
    #: Domain and seed to its own parts.
    parts: Callable[[str, int], Parts]
    #: Domains and seed to the parts that a trunk learns them from.
    together: Callable[[tuple[str, ...], int], Parts]
    tests: Mapping[str, MessageSet]
    #: How a model of a domain's own is trained here; not asked where it was trained by another benchmark.
    own: Mapping[str, Sections]
    options: TrunkOptions
    training: TrunkTraining


def real(data: Path) -> Fleet:
    """CONDA and ConvAbuse: other people, other places, labels that only their own set has."""
    labels = {course.label: name for name, course in COURSES.items()}
    domains = tuple(sorted(labels))
    sets: dict[str, dict[str, MessageSet]] = {
        label: {
            part: MessageSet(found.features, {label: found.labels}, name)
            for part, found in read_parts(data / name, label).items()
        }
        for label, name in labels.items()
    }
    train, valid, test = PARTS
    return Fleet(
        domains,
        lambda domain, _seed: Parts(sets[domain][train], sets[domain][valid]),
        lambda those, _seed: Parts(
            *(union({one: sets[one][part] for one in those}) for part in (train, valid))
        ),
        {domain: sets[domain][test] for domain in domains},
        {},
        TrunkOptions(**_DROPOUT),
        TrunkTraining(epochs=5, batch_size=64, learning_rate=2e-3, final_learning_rate=2.0),
    )


def generated() -> Fleet:
    """The corpus's three domains: every window is labelled for all of them, and they share their traffic."""
    text = TextPipeline()
    sets = {
        part: message_set(message_part(part, _DATA_SEED, count), text) for part, count in _GENERATED.items()
    }
    domains = tuple(sorted(sets["training"].labels))
    # As the shipped manifests say (models/shipped/manifests).
    plan = TrainingPlan(epochs=8, batch_size=32, learning_rate=2e-3, final_learning_rate=2.0, patience=3)
    learnt: tuple[PartName, PartName] = ("training", "selection")
    return Fleet(
        domains,
        lambda domain, seed: Parts(*(downsampled(sets[part], domain, _NEGATIVES, seed) for part in learnt)),
        lambda those, seed: Parts(*(any_violation(sets[part], those, seed) for part in learnt)),
        dict.fromkeys(domains, sets["held_out"]),
        dict.fromkeys(domains, Sections(ConversationShape(), plan)),
        TrunkOptions(),
        TrunkTraining(epochs=6, batch_size=32, learning_rate=2e-3, final_learning_rate=2.0),
    )


def union(sets: Mapping[str, MessageSet]) -> MessageSet:
    """All windows; each is labelled for its own set's domain, and NaN for the others."""
    features = tuple(window for found in sets.values() for window in found.features)
    labels = {
        domain: np.concatenate(
            [
                found.labels[domain] if one == domain else np.full(len(found.features), np.nan, np.float32)
                for one, found in sets.items()
            ]
        )
        for domain in sets
    }
    return MessageSet(features, labels, "+".join(sorted(sets)))


def any_violation(found: MessageSet, domains: tuple[str, ...], seed: int) -> MessageSet:
    """Every window that violates one of the domains, and so many others for each, as `sekisho train` samples them."""
    truth = np.max([found.labels[domain] for domain in domains], axis=0)
    kept = sampled(truth, _NEGATIVES, seed)
    return MessageSet(
        tuple(found.features[index] for index in kept),
        {domain: found.labels[domain][kept] for domain in domains},
        found.fingerprint,
    )


def measured(model: Trained, domain: str, test: MessageSet) -> dict[str, float]:
    """Average precision and AUROC on the test part, as it is."""
    truth, found = test.labels[domain], model.scores(test)
    return {
        "average_precision": float(average_precision_score(truth, found)),
        "auroc": float(roc_auc_score(truth, found)),
    }


def figures(fleet: Fleet, variant: str, seed: int) -> Iterator[tuple[str, dict[str, float]]]:
    """Domain and figures of every training of that variant under one seed."""
    context = Context(seed=seed, device=Device())

    @cache
    def trunk(domains: tuple[str, ...]) -> FrozenTrunk:
        plan = dataclasses.replace(fleet.training, seed=seed)
        found, _, _ = train_trunk(domains, fleet.together(domains, seed), fleet.options, plan, context)
        return found

    for domain in fleet.domains:
        parts = fleet.parts(domain, seed)
        model: Trained
        if variant == OWN:
            sections = fleet.own[domain]
            plan = dataclasses.replace(sections.training, seed=seed)
            model = SEPARATE.train((domain,), parts, Sections(sections.network, plan), context)[domain]
        else:
            learnt = tuple(one for one in fleet.domains if variant == KNOWN or one != domain)
            head, heads = fleet.options.head, fleet.training.heads
            model = train_head(trunk(learnt), domain, parts, head, heads, context=context)
        yield domain, measured(model, domain, fleet.tests[domain])


def committed(name: str, directory: Path) -> list[dict[str, float]]:
    """What `benchmarks.models.messages` left of the whole network on one of its sets: figures by seed, from 1 on."""
    body = json.loads((directory / f"messages_{name}.json").read_text(encoding="utf-8"))
    (row,) = (row for row in body["rows"] if (row["system"], row["reads"]) == (NETWORK, HEADLINES[-1]))
    assert body["seeds"] == list(range(1, len(body["seeds"]) + 1))
    return [
        {figure: row[figure]["runs"][at] for figure in FIGURES} for at in range(len(row[FIGURES[0]]["runs"]))
    ]


def gathered_before(out: Path) -> tuple[Gathered, float]:
    """What an earlier call that was ended has left, and its processor minutes; the same seeds give the same figures."""
    path = out / f"{BENCHMARK}.json"
    body = (
        json.loads(path.read_text(encoding="utf-8"))
        if path.exists()
        else {"rows": [], "processor_minutes": 0.0}
    )
    rows = body["rows"]
    return {
        (row["fleet"], row["domain"], row["variant"]): [
            {figure: row[figure]["runs"][at] for figure in FIGURES}
            for at in range(len(row[FIGURES[0]]["runs"]))
        ]
        for row in rows
    }, body["processor_minutes"]


def rows_of(gathered: Gathered, fleets: Mapping[str, Fleet]) -> list[dict[str, Any]]:
    """One row a fleet, domain and variant, with the spread over the seeds that are done."""
    return [
        {
            "fleet": fleet,
            "domain": domain,
            "variant": variant,
            "positives": int(np.nansum(fleets[fleet].tests[domain].labels[domain])),
            "examples": len(fleets[fleet].tests[domain].features),
        }
        | {figure: dataclasses.asdict(Spread.of([run[figure] for run in found])) for figure in FIGURES}
        for (fleet, domain, variant), found in gathered.items()
    ]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--fleet", "chosen", type=click.Choice(["real", "generated"]), multiple=True)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--resume", is_flag=True, help="Go on from what is in trunk.json already.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=RESULTS, show_default=True)
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, show_default=True)
def main(data: Path, chosen: tuple[str, ...], seeds: int, resume: bool, out: Path, page: Path) -> None:
    """Train and score everything, and write trunk.json anew after every model."""
    torch.set_num_threads(1)
    watch = Stopwatch()
    made = {"real": lambda: real(data), "generated": generated}
    fleets = {name: made[name]() for name in chosen or made}
    gathered, before = gathered_before(out) if resume else ({}, 0.0)
    if "real" in fleets:
        for name, course in COURSES.items():
            gathered["real", course.label, OWN] = committed(name, RESULTS)[:seeds]
    for variant in (KNOWN, OWN, LATER):
        for name, fleet in fleets.items():
            for seed in range(1, seeds + 1):
                done = [gathered.setdefault((name, domain, variant), []) for domain in fleet.domains]
                if all(len(runs) >= seed for runs in done):
                    continue
                for domain, found in figures(fleet, variant, seed):
                    runs = gathered[name, domain, variant]
                    runs[seed - 1 :] = [found]
                    click.echo(
                        f"{watch.minutes():5.1f} min  seed {seed}, {name}, {domain}, {variant}: "
                        f"{found['average_precision']:.4f}",
                        err=True,
                    )
                    save(_result(gathered, fleets, chosen, seeds, before + watch.minutes()), out)
    write_page(out, page)


def _result(
    gathered: Gathered, fleets: Mapping[str, Fleet], chosen: Sequence[str], seeds: int, minutes: float
) -> dict[str, Any]:
    options = "".join(f" --fleet {one}" for one in chosen)
    return record(
        BENCHMARK,
        command=f"python -m benchmarks.models.trunk DATA{options} --seeds {seeds}",
        seeds=range(1, seeds + 1),
        minutes=minutes,
        rows=rows_of({key: runs for key, runs in gathered.items() if runs}, fleets),
        trunks={
            name: {
                "training": dataclasses.asdict(fleet.training),
                "network": dataclasses.asdict(fleet.options),
            }
            for name, fleet in fleets.items()
        },
    )


if __name__ == "__main__":
    main()
