"""What masking and a missing picture change of the shipped models' scores: what a backtest from predictions cannot see.

python -m marketplace examples --out corpus --messages 6000 --listings 1500
python -m benchmarks.models.masked_input --corpus corpus
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from models.commands.inputs import serving_embedder
from models.data.datasets import ListingSet, MessageSet, listing_set, message_set
from models.data.examples import Example, part_file, read_examples
from models.evaluation.scoring import score
from streams.alerts import MAX_SHOWN_TEXT
from streams.features.tokens import TextPipeline
from streams.policy import POLICY_FILE, ModelRef, parse_policy

ROOT = Path(__file__).parents[2]


def masked(example: Example, text: TextPipeline) -> Example:
    """The example as a prediction would show it."""

    def shown(words: str) -> str:
        return text.prepare(words).masked[:MAX_SHOWN_TEXT]

    if "messages" in example:
        turns = [{**turn, "text": shown(turn["text"])} for turn in example["messages"]]
        return {**example, "messages": turns}
    listing = example["listing"]
    fields = {name: shown(listing[name]) for name in ("title", "description") if listing.get(name)}
    return {**example, "listing": {**listing, **fields}}


@click.command()
@click.option("--corpus", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--part", default="test", show_default=True)
def main(corpus: Path, part: str) -> None:
    """Compare the shipped champions' scores on examples with those on what predictions keep of them."""
    policy, _ = parse_policy((ROOT / "rules" / POLICY_FILE).read_bytes(), POLICY_FILE)
    assert policy is not None
    text = TextPipeline()
    click.echo(
        f"{'model':<48}{'examples':>9}{'changed':>9}{'median':>9}{'p99':>9}{'most':>9}{'alerts':>8}{'then':>7}{'otherwise':>11}"
    )
    for kind, read in (("messages", _messages), ("listings", _listings)):
        file = part_file(corpus / kind, part)
        assert file is not None, f"no {part} in {corpus / kind}"
        examples = list(read_examples(file))
        holding = sum(masked(one, text) != one for one in examples)
        click.echo(f"{holding:,} of {len(examples):,} {kind} hold personal data")
        for title, made in read(examples, text, corpus / kind):
            original, shown = made
            for domain in policy.for_kind(kind.removesuffix("s")):
                if domain.champion is not None:
                    _row(domain.champion, original, shown, title)


def _messages(examples: list[Example], text: TextPipeline, _: Path) -> Iterator[tuple[str, tuple[Any, Any]]]:
    yield "", (message_set(examples, text), message_set([masked(one, text) for one in examples], text))


def _listings(
    examples: list[Example], text: TextPipeline, directory: Path
) -> Iterator[tuple[str, tuple[Any, Any]]]:
    embed = serving_embedder(ROOT / "triton_repo", directory, Path(tempfile.mkdtemp()))
    original = listing_set(examples, text, embed)
    words = [masked(one, text) for one in examples]
    yield ", text masked", (original, listing_set(words, text, embed))
    yield ", and no picture", (original, listing_set(words, text, lambda _: None))


def _row(
    model: ModelRef, original: MessageSet | ListingSet, shown: MessageSet | ListingSet, title: str
) -> None:
    file = ROOT / "triton_repo" / model.model / str(model.version) / "model.onnx"
    then, now = score(file, original).scores, score(file, shown).scores
    difference = np.abs(now - then)
    median, late, most = np.quantile(difference, (0.5, 0.99, 1.0))
    was, is_now = then >= model.threshold, now >= model.threshold
    click.echo(
        f"{model.model + title:<48}{len(then):>9,}{int((difference > 1e-6).sum()):>9,}{median:>9.4f}{late:>9.4f}{most:>9.4f}"
        f"{int(is_now.sum()):>8,}{int(was.sum()):>7,}{int((was != is_now).sum()):>11,}"
    )


if __name__ == "__main__":
    main()
