"""The losses of a run as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.training.course import Epoch


def draw_curves(path: Path, epochs: Sequence[Epoch], best: int, title: str) -> None:
    """Training and validation loss by epoch as a PNG, the epoch that was kept marked. `epochs` is not empty."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    numbers = [epoch.number for epoch in epochs]
    axes.plot(numbers, [epoch.training_loss for epoch in epochs], "o-", color="#7a7a7a", label="training")
    axes.plot(numbers, [epoch.validation_loss for epoch in epochs], "o-", color="#1f5fa8", label="validation")
    marked: dict[str, Any] = {"color": "#c8102e", "label": f"kept: {best}"}
    kept = next((epoch for epoch in epochs if epoch.number == best), None)
    if kept is not None:
        axes.plot(best, kept.validation_loss, "o", ms=13, mfc="none", mew=2, **marked)
    else:  # a system may report only some of its steps
        axes.axvline(best, lw=2, **marked)
    axes.set(xlabel="epoch", ylabel="mean binary cross-entropy", title=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=True, alpha=0.25)
    axes.legend(frameon=False)
    new = path.with_name(f".{path.name}.new")
    figure.savefig(new, format="png", dpi=110)
    new.replace(path)
