"""Whether the gate of a gated multimodal unit finds the modality that carries the information.

    python -m benchmarks.models.gmu_synthetic [--seeds 3] [--out DIRECTORY]

After the synthetic experiment of Arevalo et al. 2017 ("Gated multimodal units for information fusion", section on
synthetic data): a class y and a hidden switch M are drawn; the modality that M names is drawn around its class's
centre, the other one is noise that says nothing of y. Each modality also shows which of the two it is, since nothing
could find the switch otherwise. The unit sees labels only, never M. The paper draws scalars; here each modality is a
vector of eight numbers, so that `Fusion`, the module that listing models are served with, is what is tested.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.models.record import RESULTS, Spread, Stopwatch, provenance, record, save
from models.networks.fusion import Fusion, FusionName
from models.training.loop import deterministic

WIDTH = 8
#: Distance of the two classes' centres in deviations: Φ(d/2) = 93 % of the examples are on their side.
_DISTANCE = 3.0
#: How far a modality that carries the class stands from one that does not, in another direction.
_MARK = 3.0
_COUNT = 2_000
_EPOCHS = 60
_BATCH = 100
NETWORKS: Mapping[str, FusionName | None] = {
    "text alone": None,
    "image alone": None,
    "concat": "concat",
    "linear_sum": "linear_sum",
    "max_pool": "max_pool",
    "gmu": "gmu",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """Text and image float32 [N, 8], label float32 [N], and the hidden switch bool [N]: whether text carries it."""

    text: Tensor
    image: Tensor
    label: Tensor
    by_text: npt.NDArray[np.bool_]


def draw(count: int, seed: int) -> Drawn:
    """Examples of the experiment; the same seed draws the same ones."""
    chance = np.random.default_rng(seed)
    label = chance.integers(0, 2, count)
    by_text = chance.random(count) < 0.5
    vectors = []
    for carries in (by_text, ~by_text):
        vector = chance.normal(size=(count, WIDTH))
        # A silent modality is as strongly of some class as a speaking one, only that the class is drawn by itself.
        shown = np.where(carries, label, chance.integers(0, 2, count))
        vector[:, 0] += _DISTANCE * (shown - 0.5)
        vector[:, 1] += _MARK * (carries - 0.5)
        vectors.append(torch.from_numpy(vector.astype(np.float32)))
    return Drawn(vectors[0], vectors[1], torch.from_numpy(label.astype(np.float32)), by_text)


class Classifier(nn.Module):
    """One fusion and a linear layer behind it; with one modality alone, a layer of the same width on that."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.fusion = Fusion(NETWORKS[name] or "linear_sum", WIDTH, WIDTH, WIDTH)
        self.decide = nn.Linear(self.fusion.width, 1)

    def forward(self, text: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [B] and gate [B, 2]. A modality that is not looked at is masked, as a missing one is."""
        here = torch.ones(len(text), 1)
        has_text, has_image = here * (self.name != "image alone"), here * (self.name != "text alone")
        fused, gate = self.fusion(text, has_text, image, has_image)
        return self.decide(fused).squeeze(1), gate


def fitted(name: str, training: Drawn, seed: int) -> Classifier:
    """Trained on labels alone, with Adam at 0.01, a fixed number of epochs: nothing is chosen."""
    deterministic(seed)
    network = Classifier(name)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    order = np.random.default_rng(seed)
    for _ in range(_EPOCHS):
        for index in torch.split(torch.from_numpy(order.permutation(len(training.label))), _BATCH):
            logits, _ = network(training.text[index], training.image[index])
            loss = functional.binary_cross_entropy_with_logits(logits, training.label[index])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return network.eval()


@torch.no_grad()
def measured(network: Classifier, test: Drawn) -> dict[str, float]:
    """Accuracy of the decision, and how well the gate's weight of text tells which modality carried the class."""
    logits, gates = network(test.text, test.image)
    found = {"accuracy": float(((logits > 0) == (test.label > 0.5)).float().mean())}
    if NETWORKS[network.name] is None:
        return found
    weight = gates[:, 0].numpy().astype(np.float64)
    return found | {
        "gate_accuracy": float(((weight > 0.5) == test.by_text).mean()),
        "gate_auroc": float(roc_auc_score(test.by_text, weight)),
        "gate_correlation": float(np.corrcoef(weight, test.by_text)[0, 1]),
    }


def run(seeds: Sequence[int]) -> list[dict[str, Any]]:
    """One row per network: each figure's spread over the seeds, which draw data and weights anew."""
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in NETWORKS}
    for seed in seeds:
        training, test = draw(_COUNT, 10 * seed), draw(_COUNT, 10 * seed + 1)
        for name in NETWORKS:
            figures[name].append(measured(fitted(name, training, seed), test))
    return [
        {"row": name}
        | {
            figure: {"mean": spread.mean, "deviation": spread.deviation, "runs": list(spread.runs)}
            for figure in found[0]
            for spread in [Spread.of([one[figure] for one in found])]
        }
        for name, found in figures.items()
    ]


def section(result: Mapping[str, Any]) -> str:
    """The Markdown of the experiment."""
    rows = {row["row"]: row for row in result["rows"]}
    alone = max(rows[name]["accuracy"]["mean"] for name in ("text alone", "image alone"))
    gmu = rows["gmu"]
    lines = [
        "## Gated fusion on synthetic data",
        "",
        provenance(result),
        "",
        f"A hidden switch decides which of two modalities carries the class; the other one shows a random class just as "
        f"clearly (Arevalo et al. 2017, with vectors of {WIDTH} in place of scalars). The networks are trained on "
        f"labels only. {result['examples']:,} examples to train on and as many to test on, drawn anew for each seed. "
        f"The gate's weight of text says which modality carried the class with {gmu['gate_accuracy']['mean']:.1%} "
        f"accuracy (AUROC {gmu['gate_auroc']['mean']:.3f}), and the decision is right in "
        f"{gmu['accuracy']['mean']:.1%} of the cases against {alone:.1%} from the better single modality. For fusions "
        "without a gate the weight is each modality's share in the fused vector's magnitude.",
        "",
        "| network | decision right | gate names the modality | gate AUROC | correlation of gate and switch |",
        "|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        cells = [
            _cell(row.get(figure))
            for figure in ("accuracy", "gate_accuracy", "gate_auroc", "gate_correlation")
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _cell(spread: Mapping[str, float] | None) -> str:
    return "" if spread is None else f"{spread['mean']:.3f} ± {spread['deviation']:.3f}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seeds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, show_default="benchmarks/results")
def main(seeds: int, out: Path) -> None:
    """Run the experiment and write gmu_synthetic.json."""
    torch.set_num_threads(1)
    watch, chosen = Stopwatch(), list(range(1, seeds + 1))
    rows = run(chosen)
    result = record(
        "gmu_synthetic", command=f"python -m benchmarks.models.gmu_synthetic --seeds {seeds}", seeds=chosen,
        minutes=watch.minutes(), rows=rows, examples=_COUNT,
    )  # fmt: skip
    click.echo(f"{save(result, out)}")


if __name__ == "__main__":
    main()
