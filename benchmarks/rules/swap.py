"""How long events wait while 10,000 changed rules go live: a real reload, with scans running on the same event loop.

python -m benchmarks.rules.swap conversations.jsonl
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from random import Random
from time import perf_counter

import msgspec

from benchmarks.rules.workload import rules_of, texts_of, words_of
from streams.rule_engine import ScannedTurn
from streams.rule_engine.rule import Match, Rule
from streams.rulebook import LiveRulebook

NUMBER = 10_000
FILES = 20
ROUNDS = 4
_DOMAINS = "format: 1\ndomains: {harassment: {title: x, applies_to: message, severity: low}}\n"


def _written(rule: Rule, score: int) -> str:
    """A rule as a line of YAML, with a test of words that it contains."""
    match = msgspec.to_builtins(rule.match)
    if rule.match.regex is not None:
        return ""
    sample = " ".join(_words(rule.match))
    body = {
        "id": rule.id, "description": "made", "domain": rule.domain, "mode": "active", "score": score,
        "match": match, "tests": {"should_match": [sample]},
    }  # fmt: skip
    return f"  - {json.dumps(body, ensure_ascii=False)}\n"


def _words(match: Match) -> list[str]:
    if match.near is not None:
        return [match.near.a[0], match.near.b[0]]
    return (
        [match.any[0]]
        if match.any
        else [w for child in match.all if isinstance(child, Match) for w in _words(child)]
    )


def write(directory: Path, rules: list[Rule], score: int) -> None:
    """The rules in files of a directory."""
    (directory / "domains.yaml").write_text(_DOMAINS, "utf-8")
    for number in range(FILES):
        text = "".join(_written(rule, score) for rule in rules[number::FILES])
        (directory / f"rules{number}.yaml").write_text(f"format: 1\nrules:\n{text}", "utf-8")


def _summary(gaps: list[float]) -> str:
    gaps.sort()
    return (
        f"p50 {gaps[len(gaps) // 2] * 1e6:.0f} µs, p99 {gaps[int(len(gaps) * 0.99)] * 1e3:.1f} ms, "
        f"three longest {', '.join(f'{gap * 1e3:.0f}' for gap in gaps[:-4:-1])} ms of {len(gaps)}"
    )


async def measure(path: Path) -> None:
    """Reload while scanning, and print how long the longest scan had to wait."""
    texts = texts_of(path)
    half = len(texts) // 2
    words, texts = words_of(texts[:half]), texts[half:]
    rules = [rule for rule in rules_of(words, int(NUMBER * 1.2), Random(3)) if rule.match.regex is None][
        :NUMBER
    ]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write(directory, rules, 50)
        live = LiveRulebook(directory, poll_s=600)
        await live.start()
        gaps: list[float] = []
        done = asyncio.Event()

        async def serve() -> None:
            at = 0
            last = perf_counter()
            while not done.is_set():
                current = live.current.rules
                turn = ScannedTurn("m", "buyer", current.scan(texts[at % len(texts)]))
                current.evaluate_message((turn,), {}, at_us=0)
                at += 1
                await asyncio.sleep(0)
                now = perf_counter()
                gaps.append(now - last)
                last = now

        for round_number in range(ROUNDS):
            # a child process that only keeps a core busy, as the check does: what the machine itself adds
            other = await asyncio.create_subprocess_exec(sys.executable, "-c", "sum(range(10**8))")
            gaps.clear()
            done.clear()
            serving = asyncio.create_task(serve())
            await other.wait()
            done.set()
            await serving
            quiet = _summary(gaps)
            gaps.clear()
            done.clear()
            write(directory, rules, 51 + round_number)
            serving = asyncio.create_task(serve())
            began = perf_counter()
            assert await live.reload(), [issue.render() for issue in live.refused][:3]
            took = perf_counter() - began
            done.set()
            await serving
            print(
                f"{len(live.current.rules.rules)} rules live after {took:.1f} s; between two messages {_summary(gaps)}"
            )
            print(f"    without a reload, another process busy: {quiet}")
        await live.stop()


if __name__ == "__main__":
    asyncio.run(measure(Path(sys.argv[1])))
