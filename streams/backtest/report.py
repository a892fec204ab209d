"""The outcome of a backtest: as JSON for programs, as text for people (pure)."""

from __future__ import annotations

from streams.backtest.trial import Judged, Trial


def report(trial: Trial) -> dict[str, object]:
    """Everything, ready for JSON. `seconds` and rates are the caller's to add."""
    rules = {rule.id: rule for rule in trial.rules.rules}
    return {
        "ruleset": trial.rules.version,
        "against": trial.live.version if trial.live else None,
        "events": dict(trial.events),
        "days": len(trial.days),
        "domains": {
            name: {
                "alerts": found.alerts,
                "alerts_per_day": round(found.alerts / len(trial.days), 2) if trial.days else 0.0,
                "by_day": dict(sorted(found.alerts_by_day.items())),
                **_judged(found.judged),
                **(
                    {
                        "live_alerts": found.live_alerts,
                        "live": _judged(found.live_judged),
                        "new": found.new,
                        "lost": found.lost,
                        "new_examples": found.new_examples,
                        "lost_examples": found.lost_examples,
                    }
                    if trial.live
                    else {}
                ),
            }
            for name, found in sorted(trial.by_domain.items())
        },
        "rules": {
            rule_id: {
                "domain": rules[rule_id].domain,
                "mode": rules[rule_id].mode,
                "hits": found.hits,
                "precision": _rounded(found.judged.precision),
                "judged": found.judged.right + found.judged.wrong,
                "examples": found.examples,
            }
            for rule_id, found in trial.by_rule.items()
        },
        "skipped": {
            reason: {"records": number, "example": trial.skipped_examples[reason]}
            for reason, number in sorted(trial.skipped.items())
        },
    }


def as_text(trial: Trial) -> str:
    """Tables of domains and rules, differences to the live set with examples, and what was skipped."""
    counted = ", ".join(f"{number:,} {kind}s" for kind, number in sorted(trial.events.items())) or "no events"
    lines = [f"{counted} of {len(trial.days)} days, rule set {trial.rules.version}", ""]
    versus = trial.live is not None
    head = f"{'domain':<28}{'alerts':>9}{'per day':>10}{'precision':>11}{'recall':>9}"
    lines.append(head + (f"{'live':>9}{'new':>8}{'lost':>8}" if versus else ""))
    for name, found in sorted(trial.by_domain.items()):
        per_day = found.alerts / len(trial.days) if trial.days else 0.0
        row = f"{name:<28}{found.alerts:>9,}{per_day:>10,.1f}{_share(found.judged.precision):>11}{_share(found.judged.recall):>9}"
        lines.append(row + (f"{found.live_alerts:>9,}{found.new:>8,}{found.lost:>8,}" if versus else ""))
    lines += ["", f"{'rule':<44}{'mode':<8}{'hits':>9}{'precision':>11}  e.g."]
    modes = {rule.id: rule.mode for rule in trial.rules.rules}
    for rule_id, result in sorted(trial.by_rule.items(), key=lambda item: (-item[1].hits, item[0])):
        example = result.examples[0] if result.examples else ""
        lines.append(
            f"{rule_id:<44}{modes[rule_id]:<8}{result.hits:>9,}{_share(result.judged.precision):>11}  {example}"
        )
    for title, examples in (
        ("new alerts", [one for found in trial.by_domain.values() for one in found.new_examples]),
        ("lost alerts", [one for found in trial.by_domain.values() for one in found.lost_examples]),
    ):
        if examples:
            lines += ["", f"{title}, for example", *(f"    {one}" for one in examples)]
    if trial.skipped:
        lines += ["", "skipped"]
        lines += [
            f"    {number:,} {reason}, e.g. {trial.skipped_examples[reason]}"
            for reason, number in trial.skipped.most_common()
        ]
    return "\n".join(lines)


def _judged(judged: Judged) -> dict[str, object]:
    return {
        "precision": _rounded(judged.precision),
        "recall": _rounded(judged.recall),
        "true_positives": judged.right,
        "false_positives": judged.wrong,
        "false_negatives": judged.missed,
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
