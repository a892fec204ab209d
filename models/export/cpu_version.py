"""The version of a model for serving on the CPU: int8 where that pays and costs little, else the file as it is."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx

from models.data.datasets import ListingSet, MessageSet
from models.evaluation.metrics import Metrics, evaluate
from models.export.graph import run, session
from models.export.metadata import GoldenRow, rounded, write_golden
from models.export.quantisation import Int8Decision, Measured, decide, int8_onnx
from models.export.speed import us_per_row
from streams.features.tensors import listing_batch, message_batch
from streams.inference.repository import GOLDEN_FILE, METADATA_FILE, MODEL_FILE, read_golden, read_metadata
from streams.inference.scorer import by_bucket

Scores = npt.NDArray[np.float64]
Rows = dict[str, npt.NDArray[Any]]
#: Sessions, inputs and batch size to microseconds a row of each session.
MeasureSpeed = Callable[[Sequence[Any], Rows, int], list[float]]

#: Rows that the ranges of activations are taken from: eight full batches.
CALIBRATION_ROWS: Final = 512
#: Between a processor with and one without integer kernels, int8 scores of the shipped models differ by at most 0.0103
#: on 30,000 rows: sums of fp32 that fall on the other side of a rounding step.
INT8_GOLDEN_TOLERANCE: Final = 0.02
_BATCHES: Final = (1, 64)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows with their truth, float32 [N] of 0 and 1, and what part of the data they are."""

    part: str
    rows: MessageSet | ListingSet
    truth: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CpuVersion:
    """The file to serve. `metrics` and a new `threshold` only of an int8 file."""

    model: onnx.ModelProto
    decision: Int8Decision
    threshold: float | None
    metrics: Metrics | None
    judged_on: str


def cpu_version(
    fp32: onnx.ModelProto,
    threshold: float | None,
    *,
    calibration: MessageSet | ListingSet,
    picking: Labelled,
    judging: Labelled,
    say: Callable[[str], None] = lambda _: None,
    measure_speed: MeasureSpeed = us_per_row,
) -> CpuVersion:
    """Quantise, measure both files on `judging` side by side, and decide.

    `calibration` are rows of the training part. The threshold of an int8 file is the one that gives as many alerts
    on `picking` as the old one did, so that moderators get no more to read. Raises NothingToQuantiseError.
    """
    say("quantising")
    int8 = int8_onnx(fp32, [rows for _, rows in batches(calibration, limit=CALIBRATION_ROWS)])
    opened = session(fp32), session(int8)
    say(f"scoring {len(judging.truth):,} rows of {judging.part} with both files")
    quality = [evaluate(judging.truth, scored(one, judging.rows)) for one in opened]
    say("measuring speed")
    bucket, rows = _commonest(judging.rows)
    speeds = {batch: measure_speed(opened, rows, batch) for batch in _BATCHES}
    measured = [
        Measured(
            quality[place].average_precision,
            len(file.SerializeToString()),
            {batch: us[place] for batch, us in speeds.items()},
        )
        for place, file in enumerate((fp32, int8))
    ]
    decision = decide(*measured)
    judged_on = f"{judging.part}, speed at length {bucket}"
    if decision.ship == "fp32":
        return CpuVersion(fp32, decision, threshold, None, judged_on)
    if threshold is not None:
        before, after = (scored(one, picking.rows) for one in opened)
        threshold = as_many_alerts(before, threshold, after)
    metrics = evaluate(judging.truth, scored(opened[1], judging.rows), threshold=threshold)
    return CpuVersion(int8, decision, threshold, metrics, judged_on)


def write_cpu_version(source: Path, out: Path, made: CpuVersion) -> None:
    """`out/{model.onnx, metadata.json, golden.json}`, as `sekisho models add` takes it, beside what `source` says.

    Golden rows are those of the source, answered by the new file.
    """
    metadata = read_metadata(source)
    golden = read_golden(source, metadata.model)
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL_FILE).write_bytes(made.model.SerializeToString(deterministic=True))
    described: dict[str, Any] = {
        **metadata.raw,
        "quantisation": {**made.decision.as_json(), "judged_on": made.judged_on},
    }
    tolerance = golden.tolerance
    if made.metrics is not None:
        tolerance = INT8_GOLDEN_TOLERANCE
        described |= {
            "threshold": made.threshold,
            "metrics": {made.judged_on.split(",")[0]: dataclasses.asdict(made.metrics)},
        }
    text = json.dumps(rounded(described), indent=1, ensure_ascii=False)
    (out / METADATA_FILE).write_text(text + "\n", encoding="utf-8")
    opened = session(made.model)
    rows = [
        GoldenRow(row.inputs, {name: values[0] for name, values in run(opened, _one(row.inputs)).items()})
        for row in golden.rows
    ]
    write_golden(out / GOLDEN_FILE, rows, tolerance=tolerance)


def as_many_alerts(before: Scores, threshold: float, after: Scores) -> float:
    """The threshold under which `after` alerts as often as `before` does from `threshold` on, rows being the same.

    Six digits, rounded down so that the last of them still alerts; the old threshold where nothing alerted.
    """
    alerts = int((before >= threshold).sum())
    if alerts == 0:
        return threshold
    return math.floor(float(np.sort(after)[-alerts]) * 1e6) / 1e6


def scored(opened: Any, rows: MessageSet | ListingSet) -> Scores:  # noqa: ANN401 - onnxruntime has no types
    """float64 [N] in the rows' order, batched by length as the engine does."""
    scores = np.empty(len(rows.features), np.float64)
    taken = {one.name for one in opened.get_inputs()}
    for places, inputs in batches(rows):
        given = {name: values for name, values in inputs.items() if name in taken}
        scores[places] = run(opened, given)["score"][:, 0]
    return scores


def batches(
    rows: MessageSet | ListingSet, *, size: int = 64, limit: int | None = None
) -> list[tuple[list[int], Rows]]:
    """Places and inputs of the first `limit` rows, at most `size` of one length bucket together."""
    buckets = [one.bucket for one in rows.features][:limit]
    return [(places, _inputs(rows, places, bucket)) for bucket, places in by_bucket(buckets, size)]


def _commonest(rows: MessageSet | ListingSet) -> tuple[int, Rows]:
    """The length bucket that most rows are in, and inputs of a batch of it."""
    buckets = [one.bucket for one in rows.features]
    bucket = Counter(buckets).most_common(1)[0][0]
    places = [place for place, own in enumerate(buckets) if own == bucket][: max(_BATCHES)]
    return bucket, _inputs(rows, places, bucket)


def _inputs(rows: MessageSet | ListingSet, places: Sequence[int], bucket: int) -> Rows:
    if isinstance(rows, MessageSet):
        return dict(message_batch([rows.features[place] for place in places], bucket))
    return dict(listing_batch([rows.features[place] for place in places], bucket))


def _one(inputs: Mapping[str, npt.NDArray[Any]]) -> Rows:
    return {name: values[np.newaxis] for name, values in inputs.items()}
