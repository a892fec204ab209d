"""docs/results/shared-trunk.md from what the two benchmarks of the shared trunk left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from benchmarks.models.record import provenance

PAGE: Final = Path(__file__).parents[2] / "docs" / "results" / "shared-trunk.md"
#: A model of its own; a head whose trunk learnt this domain too; a head whose trunk learnt the others only.
VARIANTS: Final = ("own model", "head, trunk knows the domain", "head, trunk does not")
ARRANGEMENTS: Final = ("own models", "assembly", "ensemble", "two trips")
_SETS: Final = {"abuse": "ConvAbuse", "toxic": "CONDA"}
_HOW: Final = """\
Figures are written by the two benchmarks below (`benchmarks/models/trunk_page.py`); none is typed by hand.

A message model spends nearly all of its time on reading: words, the messages' vectors, the conversation. A *trunk* is
that part alone, trained once for many domains and then frozen. A *head* is the small rest: one hidden layer that decides
one domain from the trunk's vector. Heads are trained, measured, added, promoted and removed one by one, and alerts and
predictions name each by its own model and version.

## How it is used

A trunk, from data that knows several domains. An example need not be labelled for all of them:

```yaml
name: marketplace_trunk
kind: message
system: message_trunk
domains: [harassment, contact_exchange, off_platform_payment]
data: messages
training: {epochs: 6, batch_size: 32, learning_rate: 0.002, final_learning_rate: 2.0}
```

`sekisho train message --config trunk.yaml --data data --out runs/trunk` leaves a complete model for each domain in
`runs/trunk/models/`: the trunk with a head. They are files like any other: `sekisho evaluate`, `models add`, `models
promote` take them as they are, and each serves alone.

A head for another domain, or a better one for the same, on the trunk of any model that holds it:

```yaml
name: message_harassment
kind: message
system: message_head
domain: harassment
data: messages
network: {trunk: triton_repo/message_harassment/1}
```

The trunk is computed once for all examples, by ONNX Runtime from that very file, so a head trains in seconds and sees in
training what it will see in service. A manifest without `trunk` (`system: kimcnn_bigru`) trains a model of its own, so each
model chooses for itself.

`sekisho models share` then has one request score all models of `rules/domains.yaml` that hold the same trunk, byte for
byte. It puts an *assembly*, the trunk with all the heads in one graph, beside them. Before it is offered to the workers,
every score is compared bit for bit with that of the head's own file, and every head's golden rows must come out right on
Triton; so a new head cannot change another head's score. Workers see it within seconds. A head that is promoted later is
asked alone until the command is given again. An assembly that is gone costs nothing but time: workers ask the models
themselves.

What it does not do: a model that was quantised with `sekisho models quantise` holds another trunk than the others and
stays out. The models themselves stay loaded beside the assembly, which on the embedded Triton takes a process each.
Finding assemblies needs Triton's repository index: where that is restricted, workers need SEKISHO_TRITON_ADMIN_KEY, and
without it ask each model alone.\
"""


def write_page(results: Path, page: Path) -> None:
    """Write the page from the JSON files that are there."""
    page.parent.mkdir(parents=True, exist_ok=True)
    text = page_of(_read(results / "trunk.json"), _read(results / "trunk_cost.json"))
    page.write_text(text, encoding="utf-8")


def page_of(quality: Mapping[str, Any] | None, cost: Mapping[str, Any] | None) -> str:
    """The page in Markdown; a result that is not there is said to be missing, with the command that makes it."""
    lines = [
        "# Message domains on a shared trunk",
        "",
        *_HOW.splitlines(),
        "",
        "## What it costs in quality",
        "",
        *(_missing("benchmarks.models.trunk DATA") if quality is None else _quality(quality)),
        "",
        "## What it saves",
        "",
        *(_missing("benchmarks.models.trunk_cost") if cost is None else _cost(cost)),
    ]
    return "\n".join(lines) + "\n"


def _read(path: Path) -> Mapping[str, Any] | None:
    if not path.exists():
        return None
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _missing(module: str) -> Iterator[str]:
    yield f"**Not measured.** Run `python -m {module}`."


def _quality(result: Mapping[str, Any]) -> Iterator[str]:
    yield provenance(result)
    yield ""
    yield (
        "Average precision on the test part, at its own prevalence, mean ± sample deviation over seeds; the differences "
        "are of runs under the same seed. *Knows*: the trunk was trained on all domains of the fleet, this one among "
        "them. *Does not*: on the other domains only, which is what a domain gets that is added later. Head and trunk "
        "have the plans that they were first given; nothing was chosen by these figures."
    )
    yield ""
    yield "| domain | violations of | own model | head, trunk knows the domain | difference | head, trunk does not | difference |"
    yield "|---|---|---|---|---|---|---|"
    by_domain: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for row in result["rows"]:
        by_domain.setdefault((row["fleet"], row["domain"]), {})[row["variant"]] = row
    wanted = len(result["seeds"])
    for (fleet, domain), rows in by_domain.items():
        any_row = next(iter(rows.values()))
        own = rows.get(VARIANTS[0])
        cells = [
            f"{domain} ({_SETS.get(domain, 'generated') if fleet == 'real' else 'generated'})",
            f"{any_row['positives']:,} of {any_row['examples']:,}",
            _figure(own, wanted),
        ]
        for variant in VARIANTS[1:]:
            cells += [_figure(rows.get(variant), wanted), _difference(own, rows.get(variant))]
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield from _reading(by_domain)
    fleets = {fleet for fleet, _ in by_domain}
    missing = [fleet for fleet in ("real", "generated") if fleet not in fleets]
    if missing:
        yield f"- **Not run yet**: the domains of the fleet {' and '.join(missing)}."


def _reading(by_domain: Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]]) -> Iterator[str]:
    for variant in VARIANTS[1:]:
        found = [
            (domain, difference)
            for (_, domain), rows in by_domain.items()
            if (difference := _mean_difference(rows.get(VARIANTS[0]), rows.get(variant))) is not None
        ]
        if not found:
            continue
        worst = min(found, key=lambda one: one[1])
        yield (
            f"- *{variant}*: {fmean(difference for _, difference in found):+.3f} on average over {len(found)} "
            f"domains, {worst[1]:+.3f} at worst ({worst[0]})."
        )


def _figure(row: Mapping[str, Any] | None, wanted: int) -> str:
    if row is None:
        return "not run"
    spread = row["average_precision"]
    runs = len(spread["runs"])
    if runs == 1:
        return f"{spread['mean']:.3f} (one run)"
    return f"{spread['mean']:.3f} ± {spread['deviation']:.3f}" + (f" ({runs} runs)" if runs < wanted else "")


def _mean_difference(own: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> float | None:
    if own is None or other is None:
        return None
    pairs = zip(own["average_precision"]["runs"], other["average_precision"]["runs"], strict=False)
    return fmean(second - first for first, second in pairs)


def _difference(own: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> str:
    found = _mean_difference(own, other)
    return "" if found is None else f"{found:+.3f}"


def _cost(result: Mapping[str, Any]) -> Iterator[str]:
    yield provenance(result)
    yield ""
    yield from _inside(result["in_process"])
    yield ""
    if not result["rows"]:
        yield f"On Triton, with client, server and stubs: **not measured in this run.** {result['processor']}."
        return
    yield (
        "Embedded Triton, one instance a model, the default network in single precision. Milliseconds of processor time "
        "a message, client, server and stubs together, the median of "
        f"{result['rows'][0]['rounds']} rounds (least to most in brackets), the arrangements taking turns; "
        f"{result['concurrent']} dispatches at a time. {result['processor']}."
    )
    for batch in sorted({row["batch"] for row in result["rows"]}, reverse=True):
        rows = [row for row in result["rows"] if row["batch"] == batch]
        yield ""
        yield f"{batch} messages a dispatch:" if batch > 1 else "One message a dispatch:"
        yield ""
        yield from _cost_table(rows)
    yield ""
    yield (
        "*Own models*: one request a domain. *Assembly*: trunk and heads in one graph, one request; what `sekisho models "
        "share` makes. *Ensemble*: the same parts as models of their own, joined on the server. *Two trips*: the client "
        "asks for the vector, then every head. With one domain nothing is shared, and no assembly is made. The first "
        "two go through the engine's own Scorer, the last two through the bare client, which does less for each row."
    )


def _inside(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield (
        "Inside ONNX Runtime alone, without a server: microseconds of processor time a window of up to 16 words a "
        "message, batches of 32, one thread, single precision, the median of rounds in which the files took turns. D models "
        "of their own are counted as D times one."
    )
    yield ""
    yield "| domains | own models | assembly | own models / assembly |"
    yield "|---|---|---|---|"
    for row in rows:
        own, together = row["own_us"], row["assembly_us"]
        rest = "- | -" if together is None else f"{together:.0f} | {own / together:.1f}"
        yield f"| {row['domains']} | {own:.0f} | {rest} |"


def _cost_table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"| domains | {' | '.join(ARRANGEMENTS)} | own models / assembly |"
    yield "|---|" + "---|" * (len(ARRANGEMENTS) + 1)
    for domains in sorted({row["domains"] for row in rows}):
        found = {row["arrangement"]: row["cpu_ms"] for row in rows if row["domains"] == domains}
        cells = [
            f"{found[name]['median']:.2f} ({min(found[name]['runs']):.2f} to {max(found[name]['runs']):.2f})"
            if name in found
            else "-"
            for name in ARRANGEMENTS
        ]
        ratio = (
            f"{found['own models']['median'] / found['assembly']['median']:.1f}"
            if "assembly" in found
            else "-"
        )
        yield f"| {domains} | {' | '.join(cells)} | {ratio} |"
