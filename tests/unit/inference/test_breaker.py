from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from streams.inference.breaker import FAILURES_TO_OPEN, FIRST_PAUSE_S, LONGEST_PAUSE_S, Breaker


def opened(now_s: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        breaker = breaker.failed(now_s, is_probe=False)
    return breaker


def test_opens_after_failures_in_a_row_only():
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN - 1):
        breaker = breaker.failed(0.0, is_probe=False)
    assert not breaker.open
    breaker = breaker.succeeded().failed(0.0, is_probe=False)
    assert not breaker.open
    assert opened().open


def test_lets_one_probe_out_after_the_pause():
    breaker = opened(10.0)
    assert breaker.admitted(10.0 + FIRST_PAUSE_S - 0.01) is None
    assert breaker.wait_s(10.0) == FIRST_PAUSE_S
    probing = breaker.admitted(10.0 + FIRST_PAUSE_S)
    assert probing is not None
    assert probing.probing
    assert probing.admitted(100.0) is None


def test_a_probe_that_succeeds_closes_it_and_forgets():
    probing = opened().admitted(FIRST_PAUSE_S)
    assert probing.succeeded() == Breaker()


def test_a_probe_that_fails_doubles_the_pause_up_to_the_longest():
    breaker, now_s, pauses = opened(), 0.0, []
    for _ in range(10):
        pauses.append(breaker.wait_s(now_s))
        now_s += breaker.wait_s(now_s)
        breaker = breaker.admitted(now_s).failed(now_s, is_probe=True)
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert pauses[-1] == LONGEST_PAUSE_S
    assert max(pauses) == LONGEST_PAUSE_S


def test_stragglers_of_the_wave_that_opened_it_do_not_lengthen_the_pause():
    breaker = opened()
    assert breaker.failed(0.4, is_probe=False) == breaker
    probing = breaker.admitted(FIRST_PAUSE_S)
    assert probing.failed(FIRST_PAUSE_S, is_probe=False) == probing


def test_a_cancelled_probe_leaves_room_for_the_next():
    probing = opened().admitted(FIRST_PAUSE_S)
    assert probing.abandoned().admitted(FIRST_PAUSE_S) is not None


def test_hurry_ends_the_pause():
    assert opened(5.0).admitted(5.0) is None
    assert opened(5.0).hurried(5.0).admitted(5.0) is not None
    assert Breaker().hurried(5.0) == Breaker()


class BreakerMachine(RuleBasedStateMachine):
    """Calls in any order, with at most one probe, and a way back from every state."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker()
        self.now_s = 0.0
        self.calls = 0
        self.probes = 0

    @rule(seconds=st.floats(0, 60))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def sets_out(self) -> None:
        admitted = self.breaker.admitted(self.now_s)
        if admitted is not None:
            self.breaker = admitted
            if admitted.probing:
                self.probes += 1
            else:
                self.calls += 1

    @precondition(lambda self: self.probes)
    @rule(end=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def probe_ends(self, end: str) -> None:
        self.probes -= 1
        if end == "failed":
            self.breaker = self.breaker.failed(self.now_s, is_probe=True)
        else:
            self.breaker = getattr(self.breaker, end)()

    @precondition(lambda self: self.calls)
    @rule(failed=st.booleans())
    def call_ends(self, failed: bool) -> None:
        self.calls -= 1
        if failed:
            self.breaker = self.breaker.failed(self.now_s, is_probe=False)

    @invariant()
    def one_probe_at_most(self) -> None:
        assert self.probes <= 1

    @invariant()
    def it_can_come_back(self) -> None:
        later = self.now_s + LONGEST_PAUSE_S
        if not self.probes:
            assert self.breaker.admitted(later) is not None
        assert self.breaker.wait_s(self.now_s) <= LONGEST_PAUSE_S


TestBreakerMachine = BreakerMachine.TestCase
