"""The page about the rule engine's speed, made from the JSON that a run leaves behind; no figure is written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.recording import provenance

_GOALS = {1_000: 60_000, 10_000: 45_000}
_GOAL_TIMES_NAIVE = 100
_GOAL_PAUSE_MS = 50


def page(result: Mapping[str, Any]) -> str:
    """The page as Markdown."""
    parts = [
        "# Speed of the rule engine",
        *provenance("rules-speed", "benchmarks.rules", result),
        _HOW,
        *(_set(one) for one in result["sets"]),
        _swaps(result["swaps"], result["swaps_of"]),
    ]
    return "\n\n".join(parts) + "\n"


_HOW = """\
Messages a second of **processor time of one thread** (a busy machine does not count, though it takes away cache and
clock rate): the median of 7 rounds in which the engines take turns, with the slowest and the fastest. Every engine
normalises the text and answers with the rules that fire; `sekisho` also says where in the original text. 70 % of the rules
are lists of one to six words, 15 % `near` and `all`, 15 % patterns, a tenth of those without a literal. The words come
from one half of the texts and the messages from the other, so the rules speak the language of the messages; where the
texts have too few rare words, coined names fill up. `re, rule by rule` is each rule's compiled patterns on every text;
`pyahocorasick + re` finds candidate rules by one automaton and verifies them with `re`; `hyperscan` is one database of
all expressions. "Judged otherwise" counts texts on which an engine's answer differs from that of `sekisho`.

What a message costs depends on how often rules fire, because places have to be found for what fired. Real
rules fire on a few messages of a hundred, as on the real conversations here. The generated corpus is there so that
anybody can repeat the measurement; its messages are made of phrases that recur, so far more rules fire on them, and no
figure of it says anything about a marketplace."""


def _set(one: Mapping[str, Any]) -> str:
    chars = one["chars"]
    coined = f", {one['coined']:,} of them coined" if one["coined"] else ""
    lines = [
        f"## {one['name']}",
        "",
        f"{one['messages']:,} different messages of {chars['mean']:.0f} characters (10th, 50th, 90th of a hundred: "
        f"{chars['p10']}, {chars['p50']}, {chars['p90']}); {one['words']:,} words to make rules of{coined}.",
        "",
        "| rules | engine | messages/s | slowest – fastest round | of sekisho | build, s | fires on | judged otherwise |",
        "|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    ours = {
        row["rules"]: row["messages_per_s"]["median"]
        for row in one["side_by_side"]
        if row["engine"] == "sekisho"
    }
    for row in one["side_by_side"]:
        rate = row["messages_per_s"]
        share = "" if row["engine"] == "sekisho" else _ratio(rate["median"] / ours[row["rules"]])
        lines.append(
            f"| {row['rules']:,} | {row['engine']} | {rate['median']:,.0f} | {rate['least']:,.0f} – {rate['most']:,.0f} "
            f"| {share} | {row['build_s']:.2f} | {_percent(row['fired_share'])} of messages "
            f"| {row['judged_otherwise']} of {row['compared']} |"
        )
    lines += [
        "",
        _verdict(one["side_by_side"]),
        "",
        "By length of the text (messages joined), `sekisho` alone:",
        "",
    ]
    lines += [
        "| rules | characters | messages/s | slowest – fastest round | characters/s | fires on |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for row in one["by_length"]:
        rate = row["messages_per_s"]
        lines.append(
            f"| {row['rules']:,} | {row['mean_chars']:.0f} | {rate['median']:,.0f} | {rate['least']:,.0f} – "
            f"{rate['most']:,.0f} | {rate['median'] * row['mean_chars'] / 1e6:.1f} M | {_percent(row['fired_share'])} |"
        )
    return "\n".join(lines)


def _verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    rates = {(row["rules"], row["engine"]): row["messages_per_s"]["median"] for row in rows}
    said = [
        f"{rates[number, 'sekisho']:,.0f} messages/s with {number:,} rules (goal {goal:,}: "
        f"{_met(rates[number, 'sekisho'] >= goal)})"
        for number, goal in _GOALS.items()
    ]
    most = max(_GOALS)
    times = rates[most, "sekisho"] / rates[most, "re, rule by rule"]
    said.append(
        f"{times:,.0f} times the loop over {most:,} rules (goal {_GOAL_TIMES_NAIVE}: {_met(times >= _GOAL_TIMES_NAIVE)})"
    )
    return f"Goals: {'; '.join(said)}."


def _swaps(rows: Sequence[Mapping[str, Any]], texts: str) -> str:
    own = [row["reload"]["own_longest_ms"] for row in rows]
    wall = [row["reload"]["wall_longest_ms"] for row in rows]
    lines = [
        "## 10,000 changed rules go live",
        "",
        f"A real `LiveRulebook.reload()` of 10,000 rules in 20 files, while the same event loop scans `{texts}` messages "
        "without a rest. The longest wait between two scans, in ms: *own* is the processor time that this process used "
        "meanwhile, loop and threads together, which is what the reload itself held up; *wall* is the clock, with "
        "whatever else the machine did. Beside it the same without a reload, while another process keeps a core busy as "
        "the check does.",
        "",
        "| reload | took, s | own | wall | wall, 999 of 1,000 | scans meanwhile | without: own | without: wall |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for number, row in enumerate(rows, 1):
        during, without = row["reload"], row["without"]
        lines.append(
            f"| {number} | {row['took_s']:.1f} | {during['own_longest_ms']:.0f} | {during['wall_longest_ms']:.0f} "
            f"| {during['wall_p999_ms']:.1f} | {during['scans']:,} | {without['own_longest_ms']:.0f} "
            f"| {without['wall_longest_ms']:.0f} |"
        )
    lines += [
        "",
        f"Goal: under {_GOAL_PAUSE_MS} ms. Own: median {median(own):.0f}, longest {max(own):.0f} "
        f"({_met(max(own) < _GOAL_PAUSE_MS)}); wall: median {median(wall):.0f}, longest {max(wall):.0f} "
        f"({_met(max(wall) < _GOAL_PAUSE_MS)}).",
    ]
    return "\n".join(lines)


def _ratio(of_ours: float) -> str:
    return f"{of_ours:.0%}" if of_ours >= 0.1 else f"1/{1 / of_ours:,.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _met(met: bool) -> str:
    return "met" if met else "**not met**"
