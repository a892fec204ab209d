"""What the worker shows at `/rules`: what is live, what was refused and why, what the valve silenced, what each rule did."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from streams.rule_engine.rule import MODES
from streams.rulebook.live import LiveRulebook


def status(live: LiveRulebook) -> dict[str, Any]:
    """What `/rules` shows, ready for JSON."""
    current = live.current
    modes = Counter(rule.mode for rule in current.rules.rules)
    return {
        "ruleset": current.rules.version,
        "policy": current.policy.version,
        "loaded_at": _utc(current.loaded_at),
        "refused": [issue.record() for issue in live.refused],
        "rules": {mode: modes[mode] for mode in MODES},
        "domains": sorted(current.policy.domains),
        "valve": {
            "max_share": live.watch.limits.max_share,
            "over_events": live.watch.limits.over_events,
            "shadowed": [
                {
                    "rule_id": tripped.rule_id,
                    "rule_version": tripped.rule_version,
                    "owner": tripped.owner,
                    "at": _utc(tripped.at_us / 1e6),
                    "share": round(tripped.share, 4),
                    "of_events": tripped.of_events,
                }
                for tripped in live.watch.tripped.values()
            ],
        },
        "never_fired": [rule_id for rule_id, tally in live.watch.tallies.items() if not tally.hits],
        "by_rule": {
            rule_id: {
                "mode": tally.mode,
                "candidates": tally.candidates,
                "hits": tally.hits,
                "alerts": tally.alerts,
                "last_hit": None if tally.last_hit_us is None else _utc(tally.last_hit_us / 1e6),
                "spent_ms": round(tally.spent_s * 1000, 1),
            }
            for rule_id, tally in live.watch.tallies.items()
        },
    }


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="seconds")
