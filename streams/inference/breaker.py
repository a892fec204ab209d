"""Circuit breaker of one model: after failures in a row calls stop, and one probe at a time asks whether it is back."""

from __future__ import annotations

from dataclasses import dataclass, replace

#: A batch keeps up to four calls in flight, which fail together when the server goes: three of them are evidence.
FAILURES_TO_OPEN = 3
#: Half a second covers the restart of an embedded server (0.3-1.2 s) in one or two probes.
FIRST_PAUSE_S = 0.5
#: A server that stays away is asked twice a minute.
LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed, open until a moment, or half open (that moment passed); time is any clock that only runs forward.

    Every call that was `admitted` ends in `succeeded` or `failed`; a probe that is cancelled, in `abandoned`.
    Nygard, "Release It!" (2007), describes the pattern.
    """

    failures: int = 0
    openings: int = 0
    open_until_s: float | None = None
    probing: bool = False

    @property
    def open(self) -> bool:
        """Whether calls are not tried, but for probes."""
        return self.open_until_s is not None

    def wait_s(self, now_s: float) -> float:
        """How long no call is admitted; 0 when one would be, or when a probe is out."""
        return max(0.0, self.open_until_s - now_s) if self.open_until_s is not None else 0.0

    def admitted(self, now_s: float) -> Breaker | None:
        """The breaker after a call sets out, or None when it must not."""
        if self.open_until_s is None:
            return self
        if now_s < self.open_until_s or self.probing:
            return None
        return replace(self, probing=True)

    def succeeded(self) -> Breaker:
        """The server answered, be it with an error about the rows."""
        return Breaker()

    def failed(self, now_s: float, *, is_probe: bool) -> Breaker:
        """The server did not answer. A failed probe doubles the pause; stragglers of the first wave change nothing."""
        if self.open_until_s is not None and not is_probe:
            return self
        failures = self.failures + 1
        if not is_probe and failures < FAILURES_TO_OPEN:
            return replace(self, failures=failures)
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**self.openings)
        # 2 to the 6th times 0.5 s is past the longest pause: counting on would only overflow.
        return Breaker(failures, min(self.openings + 1, 6), now_s + pause_s, probing=False)

    def abandoned(self) -> Breaker:
        """The probe was cancelled and says nothing about the server."""
        return replace(self, probing=False)

    def hurried(self, now_s: float) -> Breaker:
        """There is reason to believe that the server is back: the pause ends now."""
        return (
            self if self.open_until_s is None else replace(self, open_until_s=min(self.open_until_s, now_s))
        )
