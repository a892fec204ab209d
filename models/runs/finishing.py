"""The end of a run: threshold and metrics, model files that answer as what was trained, and the picture of the losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from models.data.datasets import ListingSet, MessageSet
from models.data.examples import Part as PartName
from models.export.golden import Row, listing_rows, message_rows
from models.export.graph import run, session
from models.export.metadata import ModelMetadata, Part
from models.manifests import Manifest
from models.runs.curves import draw_curves
from models.runs.exported import write_model
from models.runs.folder import RunFolder
from models.runs.preparing import Prepared
from models.runs.quality import NAMES, Quality, measure
from models.runs.recorder import Recorder
from models.sections import as_yaml_value
from models.systems.contract import Examples, Trained
from streams.features.tensors import LISTING_BUCKETS, MESSAGE_BUCKETS, listing_batch, message_batch
from streams.features.tokens import TOKENIZER

#: Rows that the exported file is compared on with what was trained.
_COMPARED: Final = 64
#: Sums in another order differ by some 1e-6 in a score; 1e-5 is what the export promises.
_PARITY: Final = 1e-5


def finish(
    manifest: Manifest,
    folder: RunFolder,
    prepared: Prepared,
    trained: Mapping[str, Trained],
    recorder: Recorder,
) -> dict[str, Quality]:
    """Measure and export every model, draw the curves, and say in run.json that the run is finished.

    Returns the quality by model. Raises ArithmeticError for an exported file that answers otherwise than what was
    trained.
    """
    quality: dict[str, Quality] = {}
    parity: dict[str, float] = {}
    best = None
    for domain, model in trained.items():
        name = manifest.model_name(domain)
        quality[name] = measure(model, domain, manifest, prepared.whole)
        description = dict(model.description())
        best = description.get("best_epoch")
        metadata = _metadata(manifest, domain, description, quality[name], prepared)
        parity[name] = _export(folder, domain, model, metadata, prepared.whole)
    folder.write_json(folder.metrics, {name: found.record() for name, found in quality.items()})
    if best is not None and recorder.epochs:
        draw_curves(folder.curves, recorder.epochs, best, manifest.name)
    recorder.write(
        state="finished",
        best_epoch=best,
        training_s=recorder.training_s,
        parity=parity,
        models=sorted(quality),
    )
    return quality


def _export(
    folder: RunFolder,
    domain: str,
    model: Trained,
    metadata: ModelMetadata,
    whole: Mapping[PartName, Examples],
) -> float:
    """Write the model's files; by how much its scores differ from what was trained, at most."""
    last = whole.get("test", whole["valid"])
    exported = model.to_onnx()
    labels = last.labels[domain]
    shown = np.concatenate([np.flatnonzero(labels == value)[: _COMPARED // 2] for value in (1, 0)])
    rows = type(last)(
        tuple(last.features[i] for i in shown),
        {domain: labels[shown]},
        last.fingerprint,
    )
    served = run(session(exported), _largest_batch(rows))["score"][:, 0]
    difference = float(np.abs(served - model.scores(rows)).max())
    if not difference <= _PARITY:  # as it stands, NaN is no parity either
        raise ArithmeticError(
            f"{metadata.model}: the exported file's scores differ by {difference:.1e} from the trained model's"
        )
    write_model(folder.model(metadata.model), exported, metadata, _golden(rows, domain))
    return difference


def _largest_batch(rows: Examples) -> dict[str, Any]:
    if isinstance(rows, MessageSet):
        return dict(message_batch(rows.features, MESSAGE_BUCKETS[-1]))
    return dict(listing_batch(rows.features, LISTING_BUCKETS[-1]))


def _golden(rows: Examples, domain: str) -> list[Row]:
    if isinstance(rows, MessageSet):
        return message_rows(rows.features, rows.labels[domain])
    assert isinstance(rows, ListingSet)
    return listing_rows(rows.features, rows.labels[domain])


def _metadata(
    manifest: Manifest, domain: str, description: Mapping[str, Any], quality: Quality, prepared: Prepared
) -> ModelMetadata:
    training = {"system": manifest.system, **as_yaml_value(manifest.training)}
    if (best := description.get("best_epoch")) is not None:
        training["best_epoch"] = best
    sets: dict[PartName, Examples] = {"train": prepared.parts.training, **prepared.whole}
    return ModelMetadata(
        model=manifest.model_name(domain),
        version=1,
        family=manifest.kind,
        tokenizer=TOKENIZER,
        seed=manifest.seed,
        domain=domain,
        network=description.get("network", as_yaml_value(manifest.network)),
        training=training,
        vocabulary_size=description.get("vocabulary_size"),
        data={
            {"train": "training", **NAMES}[part]: Part(
                found.fingerprint, len(found.features), int(np.nansum(found.labels[domain]))
            )
            for part, found in sets.items()
        },
        threshold=quality.threshold,
        wanted_precision=manifest.threshold.precision,
        metrics=quality.for_metadata(),
        gate=quality.gate,
        aux_names=tuple(description.get("aux_names", ())),
        notes=tuple(description.get("notes", ())),
    )
