"""Messages a second with 100, 1,000 and 10,000 rules, beside other ways, in one run on the same rules and texts.

    python -m benchmarks.rules.speed conversations.jsonl [messages joined into one, default 1]

`conversations.jsonl` are example conversations (docs/contracts.md) of real text. pyahocorasick and hyperscan are left out
where they are not installed. Times are processor time of one thread, best of three passes; the naive loop and
pyahocorasick are measured on as many texts as take some seconds. All must fire the same rules on the same texts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from time import process_time

from benchmarks.rules.others import Engine, hyperscan, naive, pyahocorasick_and_re
from benchmarks.rules.workload import rules_of, texts_of, words_of
from streams.rule_engine import RuleSet, ScannedTurn
from streams.rule_engine.rule import Rule

NUMBERS = (100, 1_000, 10_000)
_BUDGET_S = 4.0


def ours(rules: Sequence[Rule]) -> Engine:
    """The engine as the worker uses it: scan, then evaluate with windows of one message."""
    compiled = RuleSet(rules)
    numbers = {rule.id: at for at, rule in enumerate(rules)}

    def run(text: str) -> set[int]:
        turn = ScannedTurn("m", "buyer", compiled.scan(text))
        return {numbers[hit.rule_id] for hit in compiled.evaluate_message((turn,), {}, at_us=0)}

    return run


def rate(run: Engine, texts: Sequence[str]) -> tuple[float, int]:
    """Texts a second of processor time, best of three, and on how many texts."""
    began = process_time()
    for text in texts[:50]:
        run(text)
    each = (process_time() - began) / min(50, len(texts))
    some = texts[: max(50, min(len(texts), int(_BUDGET_S / max(each, 1e-9))))]
    best = 0.0
    for _ in range(3):
        began = process_time()
        for text in some:
            run(text)
        best = max(best, len(some) / (process_time() - began))
    return best, len(some)


def main(path: Path, joined: int = 1) -> None:
    """Measure and print a table."""
    texts = texts_of(path)
    random = Random(1)
    random.shuffle(texts)
    half = len(texts) // 2
    words = words_of(texts[:half])
    measured = ["\n".join(texts[at : at + joined]) for at in range(half, len(texts), joined)]
    length = sum(map(len, measured)) / len(measured)
    print(f"{len(measured)} messages of {length:.0f} characters; {len(words)} words to make rules of")
    engines: dict[str, Callable[[Sequence[Rule]], Engine]] = {
        "sekisho": ours,
        "hyperscan": hyperscan,
        "pyahocorasick + re": pyahocorasick_and_re,
        "re, rule by rule": naive,
    }
    print(f"{'rules':>7}  {'engine':<20}{'build s':>9}{'messages/s':>13}{'texts':>8}{'fired':>8}")
    for number in NUMBERS:
        rules = rules_of(words, number, Random(number))
        expected: dict[str, set[int]] = {}
        for name, make in engines.items():
            began = process_time()
            try:
                run = make(rules)
            except ImportError:
                print(f"{number:>7}  {name:<20}  not installed")
                continue
            built = process_time() - began
            speed, texts_run = rate(run, measured)
            compared = {text: run(text) for text in measured[: min(texts_run, 300)]}
            wrong = sum(expected.setdefault(text, found) != found for text, found in compared.items())
            fired = sum(map(len, compared.values()))
            note = f"   {wrong} texts judged otherwise" if wrong else ""
            print(f"{number:>7}  {name:<20}{built:>9.2f}{speed:>13,.0f}{texts_run:>8}{fired:>8}{note}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
