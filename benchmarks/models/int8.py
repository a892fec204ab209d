"""`python -m benchmarks.models.int8`: what static int8 would do to the shipped models on this processor."""

from __future__ import annotations

import json
import os
import platform
from base64 import b64decode
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import onnx

from marketplace.listings import LISTING_DOMAINS
from marketplace.scenarios import MESSAGE_DOMAINS
from models.data.datasets import ListingSet, MessageSet, listing_set, message_set
from models.data.image_features import ImageEmbedder
from models.evaluation.metrics import evaluate
from models.export.cpu_version import Labelled, cpu_version, scored
from models.export.graph import session
from models.export.quantisation import Measured, decide, int8_onnx
from models.export.speed import us_per_row
from models.shipped.corpus import PartName, listing_part, message_part
from streams.features.image_decode import decode_image
from streams.features.tokens import TextPipeline

SEED: Final = 1
MESSAGES: Final[dict[PartName, int]] = {"selection": 4_000, "threshold": 30_000, "held_out": 30_000}
LISTINGS: Final[dict[PartName, int]] = {"selection": 1_000, "threshold": 10_000, "held_out": 10_000}
#: Pictures of the selection part that the encoder's ranges are taken from.
_PICTURES: Final = 64
_ENCODER_BATCHES: Final = (1, 16)


@click.command()
@click.option("--repository", type=click.Path(path_type=Path), default=Path("triton_repo"), show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("benchmarks/results/int8.json"), show_default=True
)
@click.option(
    "--report", type=click.Path(path_type=Path), default=Path("docs/results/int8.md"), show_default=True
)
def main(repository: Path, out: Path, report: Path) -> None:
    """Quantise every shipped model, measure it beside the original on generated data, and write down the decision."""
    text = TextPipeline()
    messages = {part: message_set(message_part(part, SEED, n), text) for part, n in MESSAGES.items()}
    rows = [decided(repository, f"message_{domain}", messages) for domain in MESSAGE_DOMAINS]
    encoder = onnx.load(str(repository / "image_encoder" / "1" / "model.onnx"))
    embed = ImageEmbedder(encoder)
    goods = {part: listing_set(listing_part(part, SEED, n), text, embed) for part, n in LISTINGS.items()}
    rows += [decided(repository, f"listing_{domain}", goods) for domain in LISTING_DOMAINS]
    rows.append(encoder_decided(repository, encoder, goods["held_out"], text))
    body = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "command": "python -m benchmarks.models.int8",
        "seed": SEED,
        "processor": _processor(),
        "versions": {"python": platform.python_version(), "onnxruntime": version("onnxruntime")},
        "rows": rows,
    }
    for path, content in ((out, json.dumps(body, indent=1) + "\n"), (report, section(body))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        click.echo(f"{path} written")


def decided(
    repository: Path, name: str, sets: dict[PartName, MessageSet] | dict[PartName, ListingSet]
) -> dict[str, Any]:
    """One model of messages or listings: judged on the held-out part."""
    domain = name.split("_", 1)[1]
    directory = repository / name / "1"
    metadata = json.loads((directory / "metadata.json").read_text(encoding="utf-8"))
    made = cpu_version(
        onnx.load(str(directory / "model.onnx")),
        metadata["threshold"],
        calibration=sets["selection"],
        picking=Labelled("threshold", sets["threshold"], sets["threshold"].labels[domain]),
        judging=Labelled("held_out", sets["held_out"], sets["held_out"].labels[domain]),
        say=lambda line: click.echo(f"{name}: {line}", err=True),
    )
    return {"model": name, **made.decision.as_json(), "judged_on": made.judged_on}


def encoder_decided(
    repository: Path, encoder: onnx.ModelProto, held_out: ListingSet, text: TextPipeline
) -> dict[str, Any]:
    """The image encoder: judged by the model that reads its features and loses most."""
    pictures = [
        decode_image(b64decode(image["data"]))
        for example in listing_part("selection", SEED, LISTINGS["selection"])
        for image in example["listing"].get("images", ())[:1]
    ]
    sample = np.stack(pictures[:_PICTURES])
    int8 = int8_onnx(encoder, [{"image": sample[at : at + 16]} for at in range(0, _PICTURES, 16)])
    quantised = listing_set(listing_part("held_out", SEED, LISTINGS["held_out"]), text, ImageEmbedder(int8))
    precision: dict[str, tuple[float, float]] = {}
    for domain in LISTING_DOMAINS:
        opened = session(onnx.load(str(repository / f"listing_{domain}" / "1" / "model.onnx")))
        truth = held_out.labels[domain]
        precision[domain] = tuple(  # type: ignore[assignment] # two of them
            evaluate(truth, scored(opened, rows)).average_precision for rows in (held_out, quantised)
        )
    worst = max(precision, key=lambda domain: precision[domain][0] - precision[domain][1])
    speeds = {
        batch: us_per_row([session(encoder), session(int8)], {"image": sample}, batch, rounds=9)
        for batch in _ENCODER_BATCHES
    }
    measured = [
        Measured(
            precision[worst][place], len(file.SerializeToString()), {b: us[place] for b, us in speeds.items()}
        )
        for place, file in enumerate((encoder, int8))
    ]
    return {
        "model": "image_encoder",
        **decide(*measured).as_json(),
        "judged_on": f"held_out, by listing_{worst}",
    }


def section(body: dict[str, Any]) -> str:
    """The Markdown of the figures."""
    lines = [
        "# Static int8 on the CPU",
        "",
        f"`{body['command']}`, {body['date']}, seed {body['seed']}, {body['processor']}, "
        f"ONNX Runtime {body['versions']['onnxruntime']}, one thread. Generated data (docs/corpus.md): the held-out "
        "parts of 30,000 windows and 10,000 listings. Processor time, both files taking turns.",
        "",
        "| model | AP fp32 | AP int8 | µs a row, batch 1 | µs a row, full batch | times as fast | KB fp32 | KB int8 | better on a CPU |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in body["rows"]:
        fp32, int8 = row["fp32"], row["int8"]
        small, full = fp32["us_per_row"].keys()
        lines.append(
            f"| `{row['model']}` | {fp32['average_precision']:.4f} | {int8['average_precision']:.4f} "
            f"| {fp32['us_per_row'][small]:.0f} → {int8['us_per_row'][small]:.0f} "
            f"| {fp32['us_per_row'][full]:.1f} → {int8['us_per_row'][full]:.1f} | {row['speed_ratio'][full]:.2f} "
            f"| {fp32['file_bytes'] // 1024} | {int8['file_bytes'] // 1024} | {row['shipped']} |"
        )
    lines += [
        "",
        "The shipped repository holds fp32 throughout, whatever stands in the last column: one repository serves the CPU "
        "and the GPU. `sekisho models quantise` makes the version for CPUs, decides as above and writes its decision into "
        "metadata.json.",
    ]
    lines += ["", *(f"- `{row['model']}` ({row['judged_on']}): {row['reason']}." for row in body["rows"]), ""]
    return "\n".join(lines)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return f"{platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
