"""`python -m benchmarks.trials`: how often `sekisho compare` misleads somebody who looks every day.

Simulated trials with a known truth: champion and challenger share a budget, six of ten alerts are raised by both, half
of all alerts are judged, and a look every day ends the trial as soon as anything but "wait" is recommended.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import click
import numpy as np

from streams.review.contest import LEAST_JUDGED, Groups, difference, weighed
from streams.review.top import Top

#: Of each one's alerts; the share of alerts judged; violations among what both raise.
OVERLAP, JUDGED, PRECISION_OF_BOTH = 0.6, 0.5, 0.8
#: Violations among what the champion alone raises: 0.6 · 0.8 + 0.4 · 0.3 = 0.6 of all that it raises.
PRECISION_ALONE = 0.3
DAYS = 30
#: Draws from the posterior: a probability of 0.975 is known to 0.0025.
DRAWS = 4_000


@dataclass(frozen=True, slots=True)
class Setting:
    """A truth: alerts a day of each model, and the challenger's precision less the champion's."""

    alerts_per_day: int
    difference: float


SETTINGS = [Setting(alerts, apart) for alerts in (250, 25) for apart in (0.0, 0.02, -0.02, 0.05, -0.05)]


@click.command()
@click.option("--runs", default=500, show_default=True, help="Simulated trials of each setting.")
@click.option("--seed", default=20261121, show_default=True)
def command(*, runs: int, seed: int) -> None:
    """Print a table in Markdown: what is recommended at last, and on which day (median)."""
    click.echo(
        "| alerts a day, each | challenger less champion | promote | keep | still waiting | decided on day |"
    )
    click.echo("|---|---|---|---|---|---|")
    for number, setting in enumerate(SETTINGS):
        rng = np.random.default_rng([seed, number])
        ends = [trial(setting, rng) for _ in range(runs)]
        counts = Counter(advice for advice, _ in ends)
        decided = [day for advice, day in ends if advice != "wait"]
        shares = " | ".join(f"{counts[advice] / runs:.1%}" for advice in ("promote", "keep", "wait"))
        day = f"{np.median(decided):.0f}" if decided else "-"
        click.echo(f"| {setting.alerts_per_day} | {setting.difference:+.2f} | {shares} | {day} |")


def trial(setting: Setting, rng: np.random.Generator) -> tuple[str, int]:
    """One trial: what was recommended at last, and on which day."""
    both = round(setting.alerts_per_day * OVERLAP)
    alone = setting.alerts_per_day - both
    chances = (
        PRECISION_OF_BOTH,
        PRECISION_ALONE,
        PRECISION_ALONE + setting.difference * setting.alerts_per_day / alone,
    )
    sums = np.zeros((3, 3), np.int64)
    for day in range(1, DAYS + 1):
        for row, (alerts, chance) in enumerate(zip((both, alone, alone), chances, strict=True)):
            judged = rng.binomial(alerts, JUDGED)
            sums[row] += (alerts, judged, rng.binomial(judged, chance))
        groups = Groups(*(Top(*map(int, row)) for row in sums))
        if (
            groups.both.judged + min(groups.champion_only.judged, groups.challenger_only.judged)
            < LEAST_JUDGED
        ):
            continue
        advice = weighed(difference(groups, draws=DRAWS), groups).advice
        if advice != "wait":
            return advice, day
    return "wait", DAYS


if __name__ == "__main__":
    command()
