"""`python -m benchmarks.drift`: shifts put into four weeks of generated traffic, and traffic without any."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import numpy.typing as npt

from benchmarks.drift.judged import Judge, Judged, compared, word_counts
from benchmarks.drift.report import page
from benchmarks.recording import Files, told_again
from benchmarks.rules.machine import machine, versions
from marketplace.conversations import Mix
from marketplace.drift import lasting
from marketplace.examples import message_examples
from streams.cli.policy_file import read_policy
from streams.drift.assessment import SeriesDrift, assess_series
from streams.drift.book import InputSeries, ScoreSeries
from streams.drift.levels import Level
from streams.drift.words import WordDrift
from streams.inference.contracts import ModelVersion
from streams.settings import Settings

FILES: Final = Files.of("drift")
DAYS: Final = 28
#: Messages left out at the beginning: there all of the generator's 150 conversations have just begun.
WARM_UP: Final = 3_000
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SEED: Final = 20261121

Taken = Sequence[tuple[Judged, npt.NDArray[np.int64]]]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Messages of other corpora: open2ch.jsonl and conda/test.jsonl.",
)
@click.option("--per-day", default=2_000, show_default=True, help="Messages a day.")
@click.option("--draws", default=300, show_default=True, help="Random days for false signs, of each size.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Directory for a trial's files."
)
@click.option("--only-page", is_flag=True, help="Write the page anew from the JSON of the last run.")
def command(*, data: Path | None, per_day: int, draws: int, out: Path | None, only_page: bool) -> None:
    """Put shifts into generated traffic scored by the shipped models and see which are found."""
    files = FILES.within(out)
    if not only_page:
        measured = _measured(data, per_day, draws)
        files.save(
            {
                "date": datetime.now(UTC).date().isoformat(),
                "command": told_again("benchmarks.drift").replace(str(data), "DIR"),
                "machine": machine(),
                "versions": {**versions(), "onnxruntime": version("onnxruntime")},
                **measured,
            }
        )
    files.write_page(page)


def _measured(data: Path | None, per_day: int, draws: int) -> dict[str, Any]:
    settings = Settings()
    champions = {
        domain.name: ModelVersion(domain.champion.model, domain.champion.version)
        for domain in read_policy(settings).for_kind("message")
        if domain.champion is not None
    }
    judge = Judge(settings.model_repository, champions)
    pools = {
        "traffic": judge.judge(_generated(1, (DAYS + 1) * per_day, days=DAYS + 1)),
        "of another seed": judge.judge(_generated(2, per_day)),
        "violations doubled": judge.judge(_generated(3, per_day, mix=Mix(violation_share=0.08))),
        "violations tripled": judge.judge(_generated(4, per_day, mix=Mix(violation_share=0.12))),
        "newer phrasings only": judge.judge(_generated(5, per_day, newer=True)),
    }
    if data is not None:
        for name, path in (("open2ch", data / "open2ch.jsonl"), ("conda", data / "conda" / "test.jsonl")):
            pools[name] = judge.judge(islice(_examples(path), per_day))
    traffic = pools["traffic"]
    days = np.array_split(np.arange(len(traffic)), DAYS + 1)
    parts, last = days[-2::-1], days[-1]
    order = np.random.default_rng(_SEED)
    scenarios: dict[str, Taken] = {"nothing: the next day": [(traffic, last)]}
    for name in list(pools)[1:5]:
        scenarios[name] = [(pools[name], np.arange(len(pools[name])))]
    for name in list(pools)[5:]:
        for share in (0.1, 0.25, 0.5):
            others = order.permutation(len(pools[name]))[: round(share * per_day)]
            kept = order.permutation(last)[: per_day - len(others)]
            scenarios[f"{share:.0%} of {name}"] = [(traffic, kept), (pools[name], others)]
    return {
        "days": DAYS,
        "per_day": per_day,
        "scenarios": [_scenario(name, traffic, parts, taken, champions) for name, taken in scenarios.items()],
        "false": [_false_signs(traffic, size, draws, order) for size in (1_000, 2_000, 5_000)],
        "draws": draws,
    }


def _scenario(
    name: str,
    traffic: Judged,
    parts: Sequence[npt.NDArray[np.int64]],
    taken: Taken,
    champions: Mapping[str, ModelVersion],
) -> dict[str, Any]:
    found = [assess_series(series, of) for series, of in compared(traffic, parts, taken).items()]
    reference = np.concatenate(parts)
    models = dict.fromkeys(champions.values())
    words = [
        WordDrift(model, word_counts(model, [(traffic, reference)]), word_counts(model, taken))
        for model in models
    ]
    return {
        "name": name,
        "messages": sum(len(rows) for _, rows in taken),
        "series": [_of_series(drift) for drift in found],
        "words": [
            {
                "model": str(drift.model),
                "before": drift.reference.share,
                "now": drift.current.share,
                "level": drift.level.word,
            }
            for drift in words
        ],
    }


def _of_series(drift: SeriesDrift) -> dict[str, Any]:
    series = drift.series
    return {
        "of": "scores" if isinstance(series, ScoreSeries) else "inputs",
        "name": series.domain if isinstance(series, ScoreSeries) else series.fact,
        "level": drift.level.word,
        **{
            name: {
                "value": measured.distance.value,
                "by_chance": measured.distance.by_chance,
                "usual": measured.usual,
                "level": measured.level.word,
            }
            for name, measured in drift.measures.items()
        },
        "moved": None if drift.moved is None else [drift.moved.place, drift.moved.before, drift.moved.now],
    }


def _false_signs(traffic: Judged, size: int, draws: int, order: np.random.Generator) -> dict[str, Any]:
    """Random halves of the same traffic: whole conversations drawn, `size` messages of them against all others.

    The others are in parts of the same size, as far as there are 28. Without what is usual, too: signs that the
    comparison with chance alone would have given.
    """
    conversations = np.unique(traffic.conversations)
    comparisons = 0
    signs: Counter[str] = Counter()
    for _ in range(draws):
        rank = dict(zip(order.permutation(conversations).tolist(), range(len(conversations)), strict=True))
        shuffled = np.argsort([rank[each] for each in traffic.conversations.tolist()], kind="stable")
        current, rest = shuffled[:size], shuffled[size:]
        parts = np.array_split(rest[: size * DAYS], DAYS)
        for series, counts in compared(traffic, parts, [(traffic, current)]).items():
            drift = assess_series(series, counts)
            comparisons += len(drift.measures)
            of = "inputs" if isinstance(series, InputSeries) else "scores"
            for name, measured in drift.measures.items():
                if measured.distance.value < measured.limits.watch:
                    continue
                signs["levels alone"] += 1
                if measured.distance.is_chance:
                    continue
                signs["beyond chance"] += 1
                if measured.level >= Level.WATCH:
                    signs["beyond the usual"] += 1
                    signs[f"{of} {name}"] += 1
    return {"messages": size, "comparisons": comparisons, "signs": dict(signs)}


def _generated(
    seed: int, count: int, *, days: float = 1.0, mix: Mix | None = None, newer: bool = False
) -> Iterator[dict[str, Any]]:
    # A drift that is over when the traffic begins leaves the newer half alone.
    drift = lasting(datetime(2025, 1, 1, tzinfo=UTC), 1.0, turnover=1.0) if newer else None
    share = days * WARM_UP / count
    examples = message_examples(
        seed, WARM_UP + count, start=_START, days=days + share, mix=mix or Mix(), drift=drift
    )
    return islice(examples, WARM_UP, None)


def _examples(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


if __name__ == "__main__":
    command(prog_name="python -m benchmarks.drift")
