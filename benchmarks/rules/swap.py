"""How long events wait while 10,000 changed rules go live: a real reload, with scans running on the same event loop.

Two figures of every wait between two scans. *Wall* is what a clock on the wall shows: it holds whatever else the
machine does. *Own* is the processor time that this process used in the meantime, loop and threads together: what the
reload itself did on the loop or under the GIL, which nobody else's work lengthens.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

import msgspec

from benchmarks.rules.workload import Workload, rules_of
from streams.rule_engine import ScannedTurn
from streams.rule_engine.rule import Match, Rule
from streams.rulebook import LiveRulebook

NUMBER = 10_000
FILES = 20
ROUNDS = 7
_DOMAINS = "format: 1\ndomains: {harassment: {title: x, applies_to: message, severity: low}}\n"


@dataclass(frozen=True, slots=True)
class Waits:
    """Between two scans, in milliseconds: the longest by the processor time used, the longest by the clock, and how
    long all but one in a thousand were by the clock.
    """

    own_longest_ms: float
    wall_longest_ms: float
    wall_p999_ms: float
    scans: int

    @classmethod
    def of(cls, wall_s: Sequence[float], own_s: Sequence[float]) -> Waits:
        """Of at least one wait."""
        ordered = sorted(wall_s)
        return cls(
            1e3 * max(own_s), 1e3 * ordered[-1], 1e3 * ordered[int(len(ordered) * 0.999)], len(ordered)
        )


class Serving:
    """Scans on the event loop, one after the other, as a worker with more events than it can take."""

    def __init__(self, live: LiveRulebook, texts: Sequence[str]) -> None:
        self._live = live
        self._texts = texts

    async def during(self, work: Callable[[], Any]) -> Waits:
        """The waits while something is awaited."""
        wall_s: list[float] = []
        own_s: list[float] = []
        done = False

        async def serve() -> None:
            at = 0
            wall, own = perf_counter(), process_time()
            while not done:
                rules = self._live.current.rules
                turn = ScannedTurn("m", "buyer", rules.scan(self._texts[at % len(self._texts)]))
                rules.evaluate_message((turn,), {}, at_us=0)
                at += 1
                await asyncio.sleep(0)
                wall_now, own_now = perf_counter(), process_time()
                wall_s.append(wall_now - wall)
                own_s.append(own_now - own)
                wall, own = wall_now, own_now

        serving = asyncio.create_task(serve())
        await work()
        done = True
        await serving
        return Waits.of(wall_s, own_s)


async def swaps(given: Workload, say: Callable[[str], object]) -> list[dict[str, Any]]:
    """A row for each reload: the waits meanwhile, and those while only another process kept a core busy."""
    rules = [rule for rule in rules_of(given.words, int(NUMBER * 1.2), Random(3)) if not rule.match.regex]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write(directory, rules[:NUMBER], 50)
        live = LiveRulebook(directory, poll_s=600)
        await live.start()
        serving = Serving(live, given.texts)
        for number in range(ROUNDS):
            quiet = await serving.during(_busy_elsewhere)
            write(directory, rules[:NUMBER], 51 + number)
            before, began = live.current, perf_counter()
            waits = await serving.during(live.reload)
            took_s = perf_counter() - began
            assert live.current is not before, [issue.render() for issue in live.refused][:3]
            rows.append({"took_s": took_s, "reload": asdict(waits), "without": asdict(quiet)})
            say(
                f"reload {took_s:.1f} s: longest own {waits.own_longest_ms:.0f} ms, wall {waits.wall_longest_ms:.0f} ms; "
                f"without a reload {quiet.own_longest_ms:.0f} and {quiet.wall_longest_ms:.0f} ms"
            )
        await live.stop()
    return rows


async def _busy_elsewhere() -> None:
    # as long as a check in the child takes
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", "sum(range(10**8))")
    await other.wait()


def write(directory: Path, rules: Sequence[Rule], score: int) -> None:
    """The rules in files of a directory."""
    (directory / "domains.yaml").write_text(_DOMAINS, "utf-8")
    for number in range(FILES):
        text = "".join(_written(rule, score) for rule in rules[number::FILES])
        (directory / f"rules{number}.yaml").write_text(f"format: 1\nrules:\n{text}", "utf-8")


def _written(rule: Rule, score: int) -> str:
    """A rule as a line of YAML, with a test of words that it contains."""
    body = {
        "id": rule.id, "description": "made", "domain": rule.domain, "mode": "active", "score": score,
        "match": msgspec.to_builtins(rule.match), "tests": {"should_match": [" ".join(_words(rule.match))]},
    }  # fmt: skip
    return f"  - {json.dumps(body, ensure_ascii=False)}\n"


def _words(match: Match) -> list[str]:
    if match.near is not None:
        return [match.near.a[0], match.near.b[0]]
    if match.any:
        return [match.any[0]]
    return [word for child in match.all if isinstance(child, Match) for word in _words(child)]
