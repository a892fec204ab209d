"""`python -m models.ship`: make everything in the model repository anew, from generated data, reproducibly."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Final

import click
import torch

from marketplace.listings import LISTING_DOMAINS
from marketplace.scenarios import MESSAGE_DOMAINS
from models.networks.image_encoder import ImageEncoder
from models.shipped.plan import ReleasePlan
from models.shipped.release import Released, encoder_model, release_encoder, release_listing, release_message
from models.training.loop import deterministic

#: A thread count changes the order of sums and with it the last bits of every weight; cores are used by processes.
_THREADS: Final = 1
MODELS: Final = (
    "image_encoder",
    *(f"message_{domain}" for domain in MESSAGE_DOMAINS),
    *(f"listing_{domain}" for domain in LISTING_DOMAINS),
)


def ship(out: Path, plan: ReleasePlan, *, only: tuple[str, ...] = MODELS, jobs: int = 2) -> list[Released]:
    """Train, measure and write the models named in `only` under `out`, `jobs` at a time, in the order of `MODELS`.

    Raises ValueError for a name that is not among `MODELS`.
    """
    if unknown := sorted(set(only) - set(MODELS)):
        raise ValueError(f"no such model: {', '.join(unknown)}; there are {', '.join(MODELS)}")
    # The listing models share their pictures, which take longest to prepare: one task for all of them.
    listings = tuple(name for name in MODELS if name in only and name.startswith("listing_"))
    tasks: list[tuple[str, ...]] = [
        (name,) for name in MODELS if name in only and not name.startswith("listing_")
    ]
    tasks += [listings] if listings else []
    # Fresh processes: torch must not be forked once it has run.
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        running = [pool.submit(make, names, out, plan) for names in tasks]
        released = [one for done in as_completed(running) for one in done.result()]
    return sorted(released, key=lambda one: MODELS.index(one.metadata.model))


def make(names: tuple[str, ...], out: Path, plan: ReleasePlan) -> list[Released]:
    """Make those models in this process, one after the other."""
    torch.set_num_threads(_THREADS)
    deterministic(plan.seed)
    if names == ("image_encoder",):
        return [release_encoder(ImageEncoder(), out, plan)]
    if names[0].startswith("message_"):
        messages = plan.message_sets()
        return [release_message(name.removeprefix("message_"), messages, out, plan, _say) for name in names]
    goods = plan.listing_sets(encoder_model(ImageEncoder()))
    return [release_listing(name.removeprefix("listing_"), goods, out, plan, _say) for name in names]


def summary(released: list[Released]) -> str:
    """One line a model, of the held-out part."""
    lines = [f"{'model':32} {'AUROC':>6} {'AP':>6} {'threshold':>9} {'precision':>9} {'recall':>6} {'KB':>6}"]
    for one in released:
        held_out = one.metadata.metrics.get("held_out")
        size = f"{one.bytes_written / 1024:6.0f}"
        if held_out is None or held_out.at_threshold is None:
            lines.append(f"{one.metadata.model:32} {'-':>6} {'-':>6} {'-':>9} {'-':>9} {'-':>6} {size}")
            continue
        at = held_out.at_threshold
        precision = "-" if at.precision is None else f"{at.precision:.3f}"
        lines.append(
            f"{one.metadata.model:32} {held_out.auroc:6.3f} {held_out.average_precision:6.3f} "
            f"{at.threshold:9.4f} {precision:>9} {at.recall:6.3f} {size}"
        )
    return "\n".join(lines)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("triton_repo"), show_default=True
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--only", multiple=True, type=click.Choice(MODELS), help="make only this model; may be given again"
)
@click.option(
    "--jobs", type=click.IntRange(1), default=2, show_default=True, help="models made at the same time"
)
def main(out: Path, seed: int, only: tuple[str, ...], jobs: int) -> None:
    """Make the shipped models: generate data, train, measure, export.

    Example: python -m models.ship --out triton_repo
    """
    released = ship(out, ReleasePlan(seed=seed), only=only or MODELS, jobs=jobs)
    click.echo(summary(released))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
