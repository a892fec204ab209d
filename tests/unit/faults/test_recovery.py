"""Recovery times from samples of lag."""

from __future__ import annotations

from typing import Any

from tests.faults.recovery import Injected, by_kind, recoveries


def _fault(
    number: int, began_s: float, lifted_s: float, kind: str = "worker killed", *, skipped: bool = False
) -> Injected:
    return Injected(number, kind, began_s, lifted_s, "", skipped)


def _samples(lags: dict[int, int], until_s: int) -> list[dict[str, Any]]:
    """One a second; a lag holds until the next that is given."""
    samples, lag = [], 0
    for at_s in range(until_s):
        lag = lags.get(at_s, lag)
        samples.append({"at_s": float(at_s), "lag": lag})
    return samples


def test_from_the_beginning_of_the_fault_to_the_first_of_five_normal_seconds():
    # at 10 events/s up to 30 are normal
    (found,) = recoveries([_fault(1, 10.0, 12.0)], _samples({11: 50, 15: 20, 17: 31, 21: 0}, 60), rate=10)
    assert found.took_s == 11.0
    assert found.alone


def test_lag_that_rises_late_is_waited_for():
    (found,) = recoveries([_fault(1, 10.0, 10.0)], _samples({14: 99, 20: 0}, 60), rate=10)
    assert found.took_s == 10.0


def test_a_fault_that_lag_does_not_show():
    (found,) = recoveries([_fault(1, 10.0, 11.0)], _samples({}, 60), rate=10)
    assert found.took_s == 0.0


def test_one_that_was_never_recovered_from():
    (found,) = recoveries([_fault(1, 10.0, 11.0)], _samples({12: 99}, 60), rate=10)
    assert found.took_s is None
    assert by_kind([found])["worker killed"] == {
        "faults": 1, "alone": 1, "not recovered": 1, "p50_s": None, "max_s": None,
    }  # fmt: skip


def test_faults_whose_times_overlap_are_not_alone_and_skipped_ones_do_not_count():
    faults = [
        _fault(1, 10, 12),
        _fault(2, 14, 15, "Triton killed"),
        _fault(3, 40, 41),
        _fault(4, 41, 42, skipped=True),
    ]
    found = recoveries(faults, _samples({11: 99, 20: 0}, 80), rate=10)
    assert [(r.fault.number, r.took_s, r.alone) for r in found] == [
        (1, 10.0, False),
        (2, 6.0, False),
        (3, 0.0, True),
    ]
    assert by_kind(found)["worker killed"] == {
        "faults": 2, "alone": 1, "not recovered": 0, "p50_s": 5.0, "max_s": 10.0,
    }  # fmt: skip
