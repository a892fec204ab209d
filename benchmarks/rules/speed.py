"""Messages a second with 100, 1,000 and 10,000 rules, beside other ways to do the same, on the same rules and texts.

Times are processor time of one thread, so that other work on the machine does not count (it still takes away cache
and clock rate). Engines take turns, several rounds of them, so that none has the quiet minute for itself; what is told
is the median of the rounds with the slowest and the fastest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from random import Random
from statistics import median
from time import process_time
from typing import Any

from benchmarks.rules.others import Engine, hyperscan, naive, pyahocorasick_and_re
from benchmarks.rules.workload import Workload, rules_of
from streams.rule_engine import RuleSet, ScannedTurn
from streams.rule_engine.rule import Rule

NUMBERS = (100, 1_000, 10_000)
#: So many messages of the workload joined into one: how speed goes with length.
JOINED = (1, 2, 4, 10, 20)
ROUNDS = 7
#: A round of one engine takes about so long; slow engines see fewer texts, the same in each round.
_ROUND_S = 0.5
#: Texts on which the engines' answers are compared.
_COMPARED = 300


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over several rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Of at least one."""
        return cls(median(figures), min(figures), max(figures))


def sekisho(rules: Sequence[Rule]) -> Engine:
    """The engine as the worker uses it: scan, then evaluate with places of what fired."""
    compiled = RuleSet(rules)
    numbers = {rule.id: at for at, rule in enumerate(rules)}

    def run(text: str) -> set[int]:
        turn = ScannedTurn("m", "buyer", compiled.scan(text))
        return {numbers[hit.rule_id] for hit in compiled.evaluate_message((turn,), {}, at_us=0)}

    return run


ENGINES: dict[str, Callable[[Sequence[Rule]], Engine]] = {
    "sekisho": sekisho,
    "hyperscan": hyperscan,
    "pyahocorasick + re": pyahocorasick_and_re,
    "re, rule by rule": naive,
}


def side_by_side(given: Workload, say: Callable[[str], object]) -> list[dict[str, Any]]:
    """A row for each number of rules and engine. Engines that are not installed have none."""
    rows = []
    for number in NUMBERS:
        rules = rules_of(given.words, number, Random(number))
        built: dict[str, float] = {}
        engines: dict[str, Engine] = {}
        for name, make in ENGINES.items():
            began = process_time()
            try:
                engines[name] = make(rules)
            except ImportError:
                say(f"{name} is not installed")
                continue
            built[name] = process_time() - began
        texts = {name: _as_many_as_fit(run, given.texts) for name, run in engines.items()}
        rates = measured(engines, texts)
        expected = [engines["sekisho"](text) for text in given.texts]
        for name, run in engines.items():
            compared = list(zip(given.texts, expected, strict=True))[: min(_COMPARED, len(texts[name]))]
            row = {
                "rules": number,
                "engine": name,
                "build_s": built[name],
                "texts": len(texts[name]),
                "messages_per_s": asdict(rates[name]),
                "compared": len(compared),
                "judged_otherwise": sum(run(text) != found for text, found in compared),
                "fired_share": sum(map(bool, expected)) / len(expected),
            }
            say(f"{number} rules, {name}: {rates[name].median:,.0f} messages/s")
            rows.append(row)
    return rows


def by_length(given: Workload, number: int, say: Callable[[str], object]) -> list[dict[str, Any]]:
    """A row for each length of text, with so many rules."""
    run = sekisho(rules_of(given.words, number, Random(number)))
    joined = {
        str(many): ["\n".join(given.texts[at : at + many]) for at in range(0, len(given.texts), many)]
        for many in JOINED
    }
    rates = measured(dict.fromkeys(joined, run), joined)
    rows = []
    for many, texts in joined.items():
        mean = sum(map(len, texts)) / len(texts)
        fired = sum(bool(run(text)) for text in texts) / len(texts)
        say(f"{number} rules, {mean:.0f} characters: {rates[many].median:,.0f} messages/s")
        rows.append(
            {
                "rules": number,
                "mean_chars": mean,
                "messages_per_s": asdict(rates[many]),
                "fired_share": fired,
            }
        )
    return rows


def measured(engines: Mapping[str, Engine], texts: Mapping[str, Sequence[str]]) -> dict[str, Spread]:
    """Texts a second of processor time, over rounds in which each engine has its turn."""
    rates: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, run in engines.items():
            began = process_time()
            for text in texts[name]:
                run(text)
            rates[name].append(len(texts[name]) / (process_time() - began))
    return {name: Spread.of(of_rounds) for name, of_rounds in rates.items()}


def _as_many_as_fit(run: Engine, texts: Sequence[str]) -> Sequence[str]:
    tried = texts[:50]
    began = process_time()
    for text in tried:
        run(text)
    each_s = (process_time() - began) / len(tried)
    return texts[: max(50, int(_ROUND_S / max(each_s, 1e-9)))]
