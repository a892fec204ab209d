"""How long the engine took to be back to normal after each fault, from the samples of lag (pure)."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: Lag is normal up to this many seconds of traffic: offsets are committed twice a second, and looked at once.
NORMAL_S: Final = 3.0
#: Back to normal means so for this long: after a kill the lag takes some seconds to show.
CALM_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault as it came about; times in seconds since 1970."""

    number: int
    kind: str
    began_s: float
    lifted_s: float
    outcome: str
    skipped: bool

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Injected:
        """From the journal."""
        return cls(*(entry[name] for name in ("number", "kind", "began_s", "lifted_s", "outcome", "skipped")))


@dataclass(frozen=True, slots=True)
class Recovery:
    """`took_s` from the fault's beginning until lag was normal for good; None if it never was. `alone`: no other
    fault, nor the recovery from one, fell into that time, so that all of it is this one's.
    """

    fault: Injected
    took_s: float | None
    alone: bool


def recoveries(
    faults: Sequence[Injected], samples: Iterable[Mapping[str, Any]], *, rate: float
) -> list[Recovery]:
    """One for every fault that was injected. Samples have `at_s` and `lag`; those that failed are not among them."""
    looks = [(sample["at_s"], sample["lag"] <= NORMAL_S * rate) for sample in samples]
    injected = [fault for fault in faults if not fault.skipped]
    backs_s = [_back_to_normal_s(fault, looks) for fault in injected]
    ends_s = [
        max(back_s, fault.lifted_s) if back_s is not None else float("inf")
        for fault, back_s in zip(injected, backs_s, strict=True)
    ]
    return [
        Recovery(
            fault=fault,
            took_s=None if back_s is None else round(max(0.0, back_s - fault.began_s), 1),
            alone=not any(
                other is not fault and other.began_s < end_s and fault.began_s < other_end_s
                for other, other_end_s in zip(injected, ends_s, strict=True)
            ),
        )
        for fault, back_s, end_s in zip(injected, backs_s, ends_s, strict=True)
    ]


def _back_to_normal_s(fault: Injected, looks: Sequence[tuple[float, bool]]) -> float | None:
    """The first moment from which on, looking back from `CALM_S` after it and after the lifting, all was normal."""
    back_s: float | None = fault.began_s
    for at_s, normal in looks:
        if at_s < fault.began_s:
            continue
        if not normal:
            back_s = None
        elif back_s is None:
            back_s = at_s
        if back_s is not None and at_s >= max(back_s, fault.lifted_s) + CALM_S:
            return back_s
    return back_s


def by_kind(found: Iterable[Recovery]) -> dict[str, dict[str, Any]]:
    """For the table: how many of each kind, how many of them alone, and the times until normal."""
    kinds: dict[str, list[Recovery]] = {}
    for recovery in found:
        kinds.setdefault(recovery.fault.kind, []).append(recovery)
    table: dict[str, dict[str, Any]] = {}
    for kind, members in sorted(kinds.items()):
        took = [member.took_s for member in members if member.took_s is not None]
        table[kind] = {
            "faults": len(members),
            "alone": sum(member.alone for member in members),
            "not recovered": len(members) - len(took),
            "p50_s": round(statistics.median(took), 1) if took else None,
            "max_s": max(took) if took else None,
        }
    return table
