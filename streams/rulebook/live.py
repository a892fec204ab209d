"""The live rules and policy of a worker: loaded once, watched, and swapped in one assignment when a new set is good."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from prometheus_client import REGISTRY

from streams import metrics
from streams.diagnostics import Issue, errors
from streams.policy import Policy
from streams.rule_engine import RuleSet, RuleWatch
from streams.rule_engine.rule import MODES
from streams.rulebook.assembly import assemble_beside_work
from streams.rulebook.child import check_in_child
from streams.rulebook.files import Snapshot, take_snapshot
from streams.rulebook.notification import hear_of_changes
from streams.rulebook.rule_metrics import RuleCollector
from streams.rulebook.shrink import suspicious_shrink
from streams.rulebook.valve_log import tell_of_valve

log = logging.getLogger(__name__)

#: Two looks this far apart must see the same bytes: files that are still being written are not read half.
SETTLE_S = 0.5
#: A worker that starts while its rules are being copied waits so many times the settling time.
_FIRST_LOOKS = 20


@dataclass(frozen=True)
class Rulebook:
    """Rules and policy that were checked together. `loaded_at` is in seconds since 1970."""

    rules: RuleSet
    policy: Policy
    loaded_at: float


class RulebookSource(Protocol):
    """Whatever has a live rulebook."""

    @property
    def current(self) -> Rulebook:
        """The live rulebook."""
        ...


class RulebookRefused(Exception):
    """A first load that failed: there is nothing to fall back on."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("\n".join(issue.render() for issue in issues))
        self.issues = list(issues)


class LiveRulebook:
    """The rulebook of a directory, kept up to date. A set with any error is refused whole and the old one stays.

    The directory watch only shortens the wait; what counts is the hash of the contents, compared every `poll_s`
    (network file systems tell nobody of changes). `accept` has the last word on a set that passed the check.
    """

    def __init__(
        self,
        directory: Path,
        *,
        poll_s: float,
        accept: Callable[[Rulebook], Awaitable[list[Issue]]] | None = None,
        settle_s: float = SETTLE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._poll_s = poll_s
        self._settle_s = settle_s
        self._accept = accept
        self._clock = clock
        self._current: Rulebook | None = None
        self._snapshot = Snapshot((), "")
        self._refused: tuple[Issue, ...] = ()
        self._refused_content: tuple[str, str] | None = None
        self._not_accepted: tuple[Snapshot, Rulebook] | None = None
        self._watch_of_rules = RuleWatch()
        self._collector = RuleCollector(self._watch_of_rules, refused=lambda: len(self._refused))
        self._one_at_a_time = asyncio.Lock()
        self._changed = asyncio.Event()
        self._stopped = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def current(self) -> Rulebook:
        """The live rulebook."""
        if self._current is None:
            raise RuntimeError("the rulebook is not loaded yet: await start() first")
        return self._current

    @property
    def refused(self) -> tuple[Issue, ...]:
        """Why the last reload was refused; empty when the files on disk are the live set."""
        return self._refused

    @property
    def watch(self) -> RuleWatch:
        """What each rule of the live set did, and which the valve has set to shadow."""
        return self._watch_of_rules

    async def start(self) -> None:
        """Load the directory once it has settled, then watch it. Raises `RulebookRefused`."""
        await self._settle()
        if not await self.reload():
            raise RulebookRefused(self._refused)
        REGISTRY.register(self._collector)
        self._tasks = [
            asyncio.create_task(
                hear_of_changes(self._directory, self._changed, self._stopped, poll_s=self._poll_s)
            ),
            asyncio.create_task(self._watch()),
            asyncio.create_task(tell_of_valve(self._watch_of_rules)),
        ]

    async def stop(self) -> None:
        """Stop watching; the live set stays."""
        self._stopped.set()
        if self._tasks:
            REGISTRY.unregister(self._collector)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _settle(self) -> None:
        """Wait until two looks see the same bytes; not for ever, because a set in constant change must say why it fails."""
        with contextlib.suppress(OSError):  # the load says so
            before = await asyncio.to_thread(take_snapshot, self._directory)
            for _ in range(_FIRST_LOOKS):
                await asyncio.sleep(self._settle_s)
                now = await asyncio.to_thread(take_snapshot, self._directory)
                if now == before:
                    return
                before = now

    async def reload(self) -> bool:
        """Try the files as they are now. False if they were refused; `refused` then says why and the old set stays."""
        async with self._one_at_a_time:
            try:
                found = await asyncio.to_thread(take_snapshot, self._directory)
            except OSError as error:
                return self._refuse([_unreadable(self._directory, error)], Snapshot((), ""))
            return await self._try(found)

    async def _try(self, found: Snapshot) -> bool:
        if self._current is not None and found.digest == self._snapshot.digest:
            self._refused, self._refused_content, self._not_accepted = (), None, None
            return True
        if self._not_accepted is not None and self._not_accepted[0].digest == found.digest:
            candidate = self._not_accepted[1]
        else:
            bundle = await check_in_child(found.files, now_us=round(self._clock() * 1_000_000))
            if not bundle.usable:
                return self._refuse(errors(bundle.issues), found)
            rules = await assemble_beside_work(bundle.rules, self._watch_of_rules)
            candidate = Rulebook(rules, bundle.policy, self._clock())
            if self._current is not None:
                before = self._current.rules.rules
                if shrunk := suspicious_shrink(self._snapshot, before, found, candidate.rules.rules):
                    return self._refuse([shrunk], found)
        if self._accept is not None and (issues := errors(await self._accept(candidate))):
            self._not_accepted = (
                found,
                candidate,
            )  # e.g. a model that is not served yet: asked again at every poll
            return self._refuse(issues, found)
        self._swap(candidate, found)
        return True

    def _swap(self, rulebook: Rulebook, found: Snapshot) -> None:
        self._watch_of_rules.limits = rulebook.policy.valve
        self._watch_of_rules.follow(rulebook.rules.rules)
        self._current, self._snapshot = rulebook, found
        self._refused, self._refused_content, self._not_accepted = (), None, None
        modes = Counter(rule.mode for rule in rulebook.rules.rules)
        for mode in MODES:
            metrics.RULES_LOADED.labels(mode).set(modes[mode])
        metrics.RULESET_INFO.clear()
        metrics.RULESET_INFO.labels(rulebook.rules.version, rulebook.policy.version).set(1)
        metrics.RULES_LOADED_AT.set(rulebook.loaded_at)
        metrics.RULES_RELOADS.labels("loaded").inc()
        log.info(
            "rules %s and policy %s are live: %d active, %d shadow, %d off",
            rulebook.rules.version,
            rulebook.policy.version,
            *(modes[mode] for mode in MODES),
        )

    def _refuse(self, issues: Sequence[Issue], found: Snapshot) -> bool:
        repeated = self._refused == tuple(issues)
        self._refused = tuple(issues)
        self._refused_content = (found.digest, found.accepted)
        if not repeated:
            metrics.RULES_RELOADS.labels("refused").inc()
            self._collector.reload_failures += 1
            log.error(
                "the rule files are refused%s:\n%s",
                "" if self._current is None else ", the old set stays",
                "\n".join(i.render() for i in issues),
            )
        return False

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._changed.wait()
            self._changed.clear()
            try:
                await self._look()
            except Exception:  # whatever went wrong, the files must be looked at again
                log.exception("looking at the rule files failed; trying again in %g s", self._poll_s)

    async def _look(self) -> None:
        """Reload if the contents changed and have settled."""
        try:
            found = await asyncio.to_thread(take_snapshot, self._directory)
            if not self._is_news(found):
                return
            await asyncio.sleep(self._settle_s)
            if (await asyncio.to_thread(take_snapshot, self._directory)) != found:
                self._changed.set()  # still being written: look again
                return
        except OSError:
            await self.reload()  # finds it too, and says so
            return
        async with self._one_at_a_time:
            await self._try(found)  # what has settled, not what may be half written by now

    def _is_news(self, found: Snapshot) -> bool:
        if found.digest == self._snapshot.digest:
            return bool(self._refused)  # back to what is live: nothing is refused any more
        return self._not_accepted is not None or (found.digest, found.accepted) != self._refused_content


def _unreadable(directory: Path, error: OSError) -> Issue:
    return Issue(
        "files.unreadable",
        f"the rule files cannot be read: {error}",
        str(directory),
        1,
        1,
        "check SEKISHO_RULES_DIR",
    )
