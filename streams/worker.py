"""The worker's life: start in order, watch over progress, stop in order, and say by the exit code how it went."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Coroutine, Iterable, Sequence
from importlib.util import find_spec
from typing import Any

from aiokafka.errors import KafkaConnectionError

from streams import rulebook
from streams.agents.budget_desk import BudgetDesk
from streams.agents.drift_desk import DriftDesk
from streams.agents.review_desk import ReviewDesk
from streams.agents.word_watch import WordWatch
from streams.app import Pipeline
from streams.diagnostics import Issue
from streams.health import Health, HealthServer
from streams.inference.scorer import ModelVersion
from streams.inference.triton import TritonClient
from streams.kafka import topics
from streams.kafka.clients import BrokerUnreachableError
from streams.policy import POLICY_FILE, Policy
from streams.progress_watch import ProgressWatch
from streams.rulebook import LiveRulebook, Rulebook
from streams.screening import wanted_models
from streams.settings import Settings
from streams.stop_limit import StopLimit

logger = logging.getLogger(__name__)

#: Exit codes. A supervisor restarts on any but 0; 3 tells an operator's eye that the worker stood still.
EXIT_OK, EXIT_FAILED, EXIT_STALLED = 0, 1, 3
#: Signals this close together, in seconds, are one wish to stop and not a second, impatient one.
ONE_WISH_S = 1.0
#: How often Triton and the models of the policy are looked at, in seconds.
MODELS_CHECK_S = 5.0
#: Pause between attempts to reach the broker at the start, in seconds.
BROKER_RETRY_S = 2.0
#: From the wish to stop to the end of the process there are `drain_s` and this: for leaving the group and closing
#: connections. Then the process just ends, whatever it is still waiting for.
CLOSE_S = 10.0


class NotReadyToStart(Exception):
    """Something must be done before a worker can start; the message says what."""


class Worker:
    """One worker process. `run` returns the exit code."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.health = Health()
        self._stop = asyncio.Event()
        self._exit_code = EXIT_OK
        self._rulebook = LiveRulebook(settings.rules_dir, poll_s=settings.rules_poll_s, accept=self._accept)
        self._triton = TritonClient.from_settings(settings)
        self._pipeline: Pipeline | None = None
        self._progress = ProgressWatch(settings, self.health)
        self._watchers: list[asyncio.Task[None]] = []
        self._told_to_stop_at_s: float | None = None
        self._stop_limit = StopLimit(settings.drain_s + CLOSE_S)
        self._budgets = BudgetDesk(settings, self._rulebook)
        self._desk = ReviewDesk(settings, policy=lambda: self._rulebook.current.policy)
        words = WordWatch(settings, policy=lambda: self._rulebook.current.policy)
        self._drift = DriftDesk(settings, tallies=self._desk.tallies, words=words)
        self._server = HealthServer(
            self.health,
            pages={
                "/rules": lambda: rulebook.status(self._rulebook),
                "/quality": self._desk.page,
                "/drift": self._drift.page,
                "/budgets": self._budgets.page,
            },
            bind=settings.web_bind,
            port=settings.web_port,
        )

    async def run(self, *, then_ends: bool = False) -> int:
        """Start, work until told to stop or unable to go on, stop. Raises `RulebookRefused`, `NotReadyToStart`.

        `then_ends`: the process has nothing else to do, so the time limit of its stop holds for what the interpreter
        does afterwards, too.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        await self._server.start()
        logger.info("health and metrics on %s:%d", self.settings.web_bind, self._server.port)
        try:
            await self._unless_stopped(self._start())
            await self._stop.wait()
        finally:
            self._stop_limit.begin()
            try:
                await self._close()
                self._stop_limit.closed(self._exit_code)
            finally:
                if not then_ends:
                    self._stop_limit.lift()
        return self._exit_code

    async def _start(self) -> None:
        if self.settings.window_store == "rocksdb" and find_spec("rocksdict") is None:
            raise NotReadyToStart(
                "SEKISHO_WINDOW_STORE=rocksdb needs the package rocksdict. Run `pip install 'sekisho[rocksdb]'`."
            )
        await self._rulebook.start()
        await self._wait_for_topics()
        await self._budgets.start()
        pipeline = self._pipeline = Pipeline(
            self.settings, rulebook=self._budgets, triton=self._triton, fail=self._fail
        )
        self.health.started = True
        await pipeline.start()
        self._budgets.decide_with(pipeline.outbox, my_turn=lambda: pipeline.is_first)
        self._desk.start()
        self._drift.start()
        for watch in (self._watch_progress(pipeline), self._watch_models(pipeline)):
            task = asyncio.create_task(watch)
            task.add_done_callback(self._watcher_ended)
            self._watchers.append(task)

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, or leave it when told to stop: a broker that does not answer may hold it for half a minute."""
        working, stopping = asyncio.create_task(work), asyncio.create_task(self._stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not working.done():
            self._stop_limit.begin()
            working.cancel()
            await asyncio.wait({working})
        if working.done() and not working.cancelled():
            working.result()

    def _on_signal(self, number: int) -> None:
        if self._told_to_stop_at_s is not None:
            if time.monotonic() - self._told_to_stop_at_s < ONE_WISH_S:
                return  # `timeout` and terminals signal the process and its group
            logger.warning("second signal: leaving at once; what is in flight will be delivered again")
            os._exit(EXIT_FAILED)
        self._told_to_stop_at_s = time.monotonic()
        logger.info("%s: finishing what is in flight", signal.Signals(number).name)
        self._stop.set()

    def _fail(self, error: BaseException) -> None:
        """An error that the worker cannot go past: stop without committing what is in flight."""
        if self.health.failed is None:
            logger.critical("stopping: %s: %s", type(error).__name__, error, exc_info=error)
            self.health.failed = f"{type(error).__name__}: {error}"
            self._exit_code = EXIT_FAILED
        self._stop.set()

    def _watcher_ended(self, task: asyncio.Task[None]) -> None:
        """A worker that nobody watches must not go on."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    async def _close(self) -> None:
        """Stop everything in order."""
        for task in self._watchers:
            task.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self.health.consuming = False
        await self._budgets.stop()
        if self._pipeline is not None:
            await self._pipeline.stop()
        await self._drift.stop()
        await self._desk.stop()
        await self._progress.close()
        await self._rulebook.stop()
        await self._triton.close()
        await self._server.stop()

    async def _wait_for_topics(self) -> None:
        """Wait for the broker, then see that every topic is there with the same number of partitions."""
        specs = topics.catalogue(self.settings, self._rulebook.current.policy.domains)
        while True:
            try:
                differences = await topics.describe(self.settings, specs)
            except (BrokerUnreachableError, KafkaConnectionError) as error:
                logger.warning("waiting for Kafka at %s: %s", self.settings.broker, error)
                await asyncio.sleep(BROKER_RETRY_S)
                continue
            wrong = [d for d in differences if d.aspect in ("topic", "partitions") and not d.unknown]
            if not wrong:
                return
            raise NotReadyToStart(what_to_do_about(wrong))

    async def _accept(self, book: Rulebook) -> list[Issue]:
        """What speaks against putting a changed rulebook live: topics that cannot be made, models not served."""
        if self._pipeline is None:
            return []
        before = self._rulebook.current.policy
        new_domains = book.policy.domains.keys() - before.domains.keys()
        issues = []
        if new_domains:
            wanted = {topics.alerts_topic(self.settings, name) for name in new_domains}
            specs = [s for s in topics.catalogue(self.settings, new_domains) if s.name in wanted]
            issues += [
                self._policy_issue("topic_not_made", f"{outcome.topic}: {outcome.detail}")
                for outcome in await topics.create(self.settings, specs)
                if outcome.result == "failed"
            ]
        new_models = models_of(book.policy) - models_of(before)
        if new_models:
            problems = await self._pipeline.scorer.check(
                sorted(new_models, key=lambda m: (m.model, m.version))
            )
            issues += [self._policy_issue("model_not_usable", problem) for problem in problems]
        return issues

    def _policy_issue(self, code: str, message: str) -> Issue:
        return Issue(
            code=code, message=message, path=str(self.settings.rules_dir / POLICY_FILE), line=1, column=1
        )

    async def _watch_progress(self, pipeline: Pipeline) -> None:
        reason = await self._progress.watch(pipeline)
        if reason is not None:
            self._fail(reason)
        else:
            self._exit_code = EXIT_STALLED
            self._stop.set()

    async def _watch_models(self, pipeline: Pipeline) -> None:
        """Keep /readyz informed about Triton and the models that the policy names."""
        while True:
            policy = self._rulebook.current.policy
            available = await self._triton.live()
            problems: Iterable[str] = ()
            if available:
                problems = await pipeline.scorer.check(models_of(policy))
            for problem in set(problems) - set(self.health.models):
                logger.error("model: %s", problem)
            self.health.triton = "available" if available else "away"
            self.health.models = tuple(problems)
            await asyncio.sleep(MODELS_CHECK_S)


def models_of(policy: Policy) -> set[ModelVersion]:
    """Every model version that a policy names."""
    return {wanted.model for kind in ("message", "listing") for wanted in wanted_models(policy, kind)}


def what_to_do_about(wrong: Sequence[topics.Difference]) -> str:
    """One line about topics that are missing or have another number of partitions, with the cure of each."""
    missing = [d.topic for d in wrong if d.aspect == "topic"]
    others = [f"{d.topic} has {d.found}, should have {d.expected}" for d in wrong if d.aspect == "partitions"]
    sentences = []
    if missing:
        sentences.append(f"missing topics: {', '.join(missing)}. Run `sekisho topics create`.")
    if others:
        sentences.append(
            f"numbers of partitions: {'; '.join(others)}. Set SEKISHO_PARTITIONS to what is there, or make the topic anew."
        )
    return " ".join(sentences)
