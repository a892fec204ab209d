"""What one sees of the demo: alerts as they arrive, the rule edit, and the summary."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from demo.ledger import percentile_ms
from demo.performance import NEW_RULE_ID, NEW_TRICK, Performance

#: Alerts that the live table holds: with header and counters it fits a terminal of 24 lines.
ROWS = 18
#: Width of the text column; longer texts are cut around what fired.
TEXT_WIDTH = 46


class Screen:
    """A live table on a terminal, plain lines elsewhere; both on standard error, the summary is the caller's choice."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: deque[Text] = deque(maxlen=ROWS)
        self._live: Live | None = None
        self._performance: Performance | None = None

    def say(self, text: str) -> None:
        """A line about what happens; it stays above the table."""
        self._console.print(Text(f"▸ {text}", style="bold"), soft_wrap=True)

    @contextmanager
    def showing(self, performance: Performance) -> Iterator[None]:
        """Show the performance while it runs."""
        self._performance = performance
        if not self._console.is_terminal:
            self._console.print(_header(), soft_wrap=True)
            yield
            return
        with Live(self, console=self._console, refresh_per_second=8, transient=False) as self._live:
            yield
        self._live = None

    def alert(self, alert: dict[str, Any]) -> None:
        """An alert has arrived."""
        row = alert_line(alert)
        self._rows.append(row)
        if self._live is None:
            self._console.print(row, soft_wrap=True)

    def __rich__(self) -> Group:
        """The table as it stands: the newest alerts and the counters."""
        lines = [_header(), *self._rows]
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(*lines, Text(), self._counters())

    def _counters(self) -> Text:
        performance = self._performance
        if performance is None or not performance.began_s:
            return Text("waiting for the first event", style="dim")
        ledger = performance.ledger
        waited = sorted(ledger.waited_s)
        elapsed_s = max(0.001, time.monotonic() - performance.began_s)
        return Text(
            f"{min(elapsed_s, performance.seconds):4.0f} s  events {len(ledger.produced)}  predictions {len(ledger.predictions)}"
            f"  dead letters {len(ledger.dead_letters)}  alerts {len(ledger.alerts)}"
            f"  event to alert p50 {_ms(percentile_ms(waited, 0.5))}, p99 {_ms(percentile_ms(waited, 0.99))}",
            style="bold",
            no_wrap=True,
            overflow="ellipsis",
        )

    def summary(self, performance: Performance, result: dict[str, Any], console: Console) -> None:
        """The numbers at the end."""
        console.print()
        table = Table(title="Alerts by domain", title_justify="left")
        for name in ("domain", "alerts", "by rules", "by models", "true in the generated traffic"):
            table.add_column(name, justify="left" if name == "domain" else "right")
        truth = result["alerts_on_generated_violations"]
        for domain, counts in result["alerts"].items():
            known = truth.get(domain)
            share = f"{known['violations']} of {known['alerts']}" if known else ""
            table.add_row(domain, str(counts["total"]), str(counts["rule"]), str(counts["model"]), share)
        console.print(table)
        lines = (
            f"events in {result['events']}   predictions {result['predictions']}   "
            f"dead letters {result['dead_letters']} {_reasons(result)}",
            f"reports of customers {result['reports']}, {result['reports_in_alerts']} of them in alerts",
            f"{result['events_per_s']} events/s   "
            f"event to alert p50 {_ms(result['p50_ms'])}, p99 {_ms(result['p99_ms'])}",
            self.edit_line(performance),
        )
        for line in lines:
            console.print(line, soft_wrap=True)
        unaccounted = result["missing"] + result["reports"] - result["reports_in_alerts"]
        verdict = "holds" if result["reconciles"] else f"DOES NOT HOLD: {unaccounted} unaccounted for"
        console.print(
            f"{result['events']} events produced = {result['predictions']} predictions + "
            f"{result['dead_letters']} dead letters: {verdict}",
            style="bold green" if result["reconciles"] else "bold red",
            soft_wrap=True,
        )

    @staticmethod
    def edit_line(performance: Performance) -> str:
        """What became of the rule that was written while the engine ran."""
        edit = performance.edit
        if edit.written_at_s is None:
            return "no rule was edited: the run was too short"
        if edit.first_alert_at_s is None:
            return f"the rule {NEW_RULE_ID} was written, but nothing that it matches came after it"
        return (
            f"the rule {NEW_RULE_ID} was written while the engine ran and raised its first alert "
            f"{edit.first_alert_at_s - edit.written_at_s:.1f} s later (“{NEW_TRICK}”)"
        )


def _header() -> Text:
    return Text(f"{'domain':<22}{'raised by':<46}{'score':>6}  {'gate text/image':<17}text", style="dim")


def alert_line(alert: dict[str, Any]) -> Text:
    """One alert as one line: domain, rule or model, score, gate, and the text with what fired highlighted."""
    rules = [e for e in alert["evidence"] if e["by"] == "rule"]
    models = [e for e in alert["evidence"] if e["by"] == "model"]
    by = " + ".join(
        [
            *("a customer" for e in alert["evidence"] if e["by"] == "report"),
            *(e["rule_id"] for e in rules),
            *(f"{e['model'].split('_')[0]} model v{e['version']}" for e in models),
        ]
    )
    gate = next((e["gate"] for e in models if e["gate"]), None)
    new = any(e["rule_id"] == NEW_RULE_ID for e in rules)
    line = Text()
    line.append(
        f"{alert['domain']:<22}", style="bold red" if alert["severity"] in {"high", "critical"} else "yellow"
    )
    line.append(f"{_cut(by, 44):<46}", style="bold magenta" if new else "")
    line.append(f"{models[0]['score']:>6.2f}  " if models else f"{'rule' if rules else 'report':>6}  ")
    line.append(f"{gate['text']:.2f} / {gate['image']:.2f}      " if gate else f"{'':<17}", style="cyan")
    line.append_text(highlighted(alert))
    if alert["revision"] > 1:
        line.append(f"  (revision {alert['revision']})", style="dim")
    return line


def highlighted(alert: dict[str, Any]) -> Text:
    """The judged text with what rules fired on in reverse; a listing's title where only models spoke."""
    context = alert["context"][-1] if alert["context"] else {}
    text = str(
        context.get("text") or " / ".join(filter(None, (context.get("title"), context.get("description"))))
    )
    fired = [s["text"] for e in alert["evidence"] if e["by"] == "rule" for s in e["spans"] if s["text"]]
    start = max(0, min((text.find(f) for f in fired if f in text), default=0) - 12)
    shown = Text(("…" if start else "") + text[start : start + TEXT_WIDTH].replace("\n", " "))
    for word in fired:
        shown.highlight_words([word], style="reverse")
    return shown


def _reasons(result: dict[str, Any]) -> str:
    reasons = result["dead_letters_by_reason"]
    return "(" + ", ".join(f"{count} {reason}" for reason, count in reasons.items()) + ")" if reasons else ""


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
