"""What a shared trunk costs in quality: average precision by domain, beside a model of each domain's own.

    python -m benchmarks.models.trunk DATA [--fleet real|generated] [--seeds 3]

DATA holds convabuse/ and conda/. Two fleets of domains: `real`, those two sets, whose examples know only their own
domain's label, and `generated`, the three domains of the corpus that the shipped models are made from. For each domain:

- a model of its own, as `benchmarks.models.messages` and the shipped manifests train it;
- a head on a frozen trunk that was trained on all domains of the fleet, this one among them;
- a head on a frozen trunk that was trained on the other domains only: what a domain gets that is added later.

Every plan below was set before anything was scored and is the same for all seeds; epochs are chosen on the validation
parts; each test part is scored once a model. A seed changes weights, order and the choice of negatives, not the data.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.models.messages import COURSES, PARTS, read_parts
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
#: Windows of each part of the generated fleet, and negatives kept for a positive when training.
_GENERATED: Final[Mapping[PartName, int]] = {"training": 30_000, "selection": 8_000, "held_out": 20_000}
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
        {label: Sections(COURSES[name].shape, COURSES[name].plan) for label, name in labels.items()},
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


def runs(fleet: Fleet, seed: int) -> Iterator[tuple[str, str, dict[str, float]]]:
    """Domain, variant and figures of every training under one seed."""
    context = Context(seed=seed, device=Device())

    @cache
    def trunk(domains: tuple[str, ...]) -> FrozenTrunk:
        plan = dataclasses.replace(fleet.training, seed=seed)
        found, _, _ = train_trunk(domains, fleet.together(domains, seed), fleet.options, plan, context)
        return found

    for variant in (KNOWN, OWN, LATER):
        for domain in fleet.domains:
            parts = fleet.parts(domain, seed)
            model: Trained
            if variant == OWN:
                sections = fleet.own[domain]
                sections = dataclasses.replace(
                    sections, training=dataclasses.replace(sections.training, seed=seed)
                )
                model = SEPARATE.train((domain,), parts, sections, context)[domain]
            else:
                others = tuple(one for one in fleet.domains if variant == KNOWN or one != domain)
                head, plan = fleet.options.head, fleet.training.heads
                model = train_head(trunk(others), domain, parts, head, plan, context=context)
            yield domain, variant, measured(model, domain, fleet.tests[domain])


def rows_of(
    gathered: Mapping[tuple[str, str, str], Sequence[Mapping[str, float]]], fleets: Mapping[str, Fleet]
) -> list[dict[str, Any]]:
    """One row a fleet, domain and variant, with the spread over the seeds that are done."""
    return [
        {
            "fleet": fleet,
            "domain": domain,
            "variant": variant,
            "positives": int(np.nansum(fleets[fleet].tests[domain].labels[domain])),
            "examples": len(fleets[fleet].tests[domain].features),
        }
        | {figure: dataclasses.asdict(Spread.of([run[figure] for run in found])) for figure in found[0]}
        for (fleet, domain, variant), found in gathered.items()
    ]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--fleet", "chosen", type=click.Choice(["real", "generated"]), multiple=True)
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=RESULTS, show_default=True)
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, show_default=True)
def main(data: Path, chosen: tuple[str, ...], seeds: int, out: Path, page: Path) -> None:
    """Train and score everything, and write trunk.json anew after every model."""
    torch.set_num_threads(1)
    watch = Stopwatch()
    made = {"real": lambda: real(data), "generated": generated}
    fleets = {name: made[name]() for name in chosen or made}
    gathered: dict[tuple[str, str, str], list[dict[str, float]]] = {}
    for seed in range(1, seeds + 1):
        for name, fleet in fleets.items():
            for domain, variant, figures in runs(fleet, seed):
                gathered.setdefault((name, domain, variant), []).append(figures)
                click.echo(
                    f"{watch.minutes():5.1f} min  seed {seed}, {name}, {domain}, {variant}: "
                    f"{figures['average_precision']:.4f}",
                    err=True,
                )
                result = record(
                    BENCHMARK,
                    command=" ".join(
                        ["python -m benchmarks.models.trunk DATA", *(f"--fleet {one}" for one in chosen)]
                    )
                    + f" --seeds {seeds}",
                    seeds=range(1, seed + 1),
                    minutes=watch.minutes(),
                    rows=rows_of(gathered, fleets),
                    trunk_training={
                        one: dataclasses.asdict(fleets[one].training)
                        | {"network": dataclasses.asdict(fleets[one].options)}
                        for one in fleets
                    },
                )
                save(result, out)
    write_page(out, page)


if __name__ == "__main__":
    main()
