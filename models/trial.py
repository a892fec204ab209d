"""`python -m models.trial`: train one model on example files and print what it reaches, to see whether it learns.

No model is kept. The directory holds `train.jsonl`, `valid.jsonl` and `test.jsonl` in one of the two example shapes.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Literal

import click
import torch
from torch import nn

from models.data.datasets import listing_set, message_set, read_examples
from models.data.image_features import ImageEmbedder
from models.data.tables import Table, listing_table, message_table
from models.data.vocabulary import build_vocabulary
from models.evaluation.metrics import evaluate, threshold_for_precision
from models.networks.conversation import ConversationNetwork, ConversationShape
from models.networks.image_encoder import ImageEncoder
from models.networks.listing import ListingNetwork, ListingShape
from models.shipped.release import encoder_model, listing_statistics
from models.training.loop import TrainingPlan, deterministic, scores, train
from streams.features.tokens import TextPipeline

SPLITS = ("train", "valid", "test")


def message_trial(
    data: Path, domain: str, shape: ConversationShape, seed: int
) -> tuple[nn.Module, dict[str, Table]]:
    """An untrained message network and its tables. Raises `ExampleError` or KeyError for unusable data."""
    text = TextPipeline()
    sets = {split: message_set(read_examples(data / f"{split}.jsonl"), text) for split in SPLITS}
    vocabulary = build_vocabulary(tokens for window in sets["train"].features for tokens in window.tokens)
    tables = {split: message_table(s.features, s.labels[domain], vocabulary) for split, s in sets.items()}
    torch.manual_seed(seed)
    return ConversationNetwork(vocabulary.size, shape), tables


def listing_trial(
    data: Path, domain: str, shape: ListingShape, seed: int
) -> tuple[nn.Module, dict[str, Table]]:
    """An untrained listing network and its tables. Raises `ExampleError` or KeyError for unusable data."""
    text, embed = (
        TextPipeline(),
        ImageEmbedder(encoder_model(ImageEncoder()), root=data, threads=torch.get_num_threads()),
    )
    sets = {split: listing_set(read_examples(data / f"{split}.jsonl"), text, embed) for split in SPLITS}
    vocabulary = build_vocabulary(listing.tokens for listing in sets["train"].features)
    tables = {split: listing_table(s.features, s.labels[domain], vocabulary) for split, s in sets.items()}
    torch.manual_seed(seed)
    return ListingNetwork(listing_statistics(sets["train"], vocabulary), shape), tables


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("kind", type=click.Choice(["message", "listing"]))
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--domain", required=True, help="the label to learn")
@click.option("--epochs", type=click.IntRange(1), default=8, show_default=True)
@click.option(
    "--turns",
    type=click.IntRange(1, 5),
    default=5,
    show_default=True,
    help="messages of the window that are read",
)
@click.option(
    "--fusion",
    type=click.Choice(["gmu", "concat", "linear_sum", "max_pool"]),
    default="gmu",
    show_default=True,
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--limit", type=click.IntRange(1), help="use only so many training examples")
def main(  # noqa: PLR0917 - click hands each option in by name
    kind: Literal["message", "listing"], data: Path, domain: str, epochs: int, turns: int,
    fusion: Literal["gmu", "concat", "linear_sum", "max_pool"], seed: int, limit: int | None,
) -> None:  # fmt: skip
    """Train on DATA/train.jsonl, keep the best epoch of DATA/valid.jsonl, and measure on DATA/test.jsonl.

    Example: python -m models.trial message data/messages/convabuse --domain abuse
    """
    torch.set_num_threads(1)
    deterministic(seed)
    network, tables = (
        message_trial(data, domain, ConversationShape(turns=turns), seed)
        if kind == "message"
        else listing_trial(data, domain, ListingShape(fusion=fusion), seed)
    )
    training = tables["train"]
    if limit is not None:
        training = training.select(
            torch.randperm(len(training), generator=torch.Generator().manual_seed(seed))[:limit]
        )
    plan = TrainingPlan(epochs=epochs, seed=seed)
    history = train(
        network, training, tables["valid"], plan,
        lambda epoch: click.echo(f"epoch {epoch.number}: {epoch.training_loss:.4f} {epoch.validation_loss:.4f}", err=True),
    )  # fmt: skip
    threshold = threshold_for_precision(tables["valid"].labels.numpy(), scores(network, tables["valid"]), 0.8)
    metrics = evaluate(tables["test"].labels.numpy(), scores(network, tables["test"]), threshold=threshold)
    click.echo(json.dumps({"best_epoch": history.best, **dataclasses.asdict(metrics)}, indent=1))


if __name__ == "__main__":
    main()
