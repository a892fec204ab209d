"""Calls to one model: a limit on those in flight, the circuit breaker, revival of a killed stub, and the metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy.typing as npt

from streams import metrics
from streams.inference.breaker import Breaker
from streams.inference.contracts import ModelVersion
from streams.inference.failures import InferenceFailed
from streams.inference.triton import TritonClient

log = logging.getLogger(__name__)

#: Enough to keep an instance busy while answers travel. More would only queue on the server, where nothing is shed.
MOST_IN_FLIGHT = 4
#: Reasons that speak of the server. Any other means that it answered.
_SERVER_REASONS = frozenset(("unavailable", "deadline"))


class ModelCalls:
    """All versions of one model. `clock` gives monotonic seconds."""

    def __init__(self, model: str, client: TritonClient, clock: Callable[[], float]) -> None:
        self._model = model
        self._client = client
        self._clock = clock
        self._breaker = Breaker()
        self._slots = asyncio.Semaphore(MOST_IN_FLIGHT)
        self._revival: asyncio.Task[None] | None = None
        self._revived_at_s: float | None = None
        self._last_reason: str | None = None
        metrics.BREAKER_OPEN.labels(model=model).set(0)

    async def infer(
        self,
        version: ModelVersion,
        inputs: Mapping[str, npt.NDArray[Any]],
        outputs: Sequence[str],
        *,
        rows: int,
    ) -> dict[str, npt.NDArray[Any]]:
        """As `TritonClient.infer`, once; again only after a killed stub was revived. Raises InferenceFailed."""
        async with self._slots:
            if self._reviving:
                await self._revive()
            set_out_s = self._clock()
            try:
                return await self._guarded(version, inputs, outputs, rows)
            except InferenceFailed as failure:
                # While another call revives the model it is unloaded for a moment: not found, or stopping.
                gone = self._reviving and failure.reason in {"not_found", "unavailable"}
                if failure.reason != "stub_dead" and not gone:
                    raise
            if self._revived_at_s is None or self._revived_at_s < set_out_s:
                await self._revive()
            return await self._guarded(version, inputs, outputs, rows, was_revived=True)

    def hurry(self) -> None:
        """The server was seen alive: let a probe out now, whatever is left of the pause."""
        self._become(self._breaker.hurried(self._clock()))

    @property
    def _reviving(self) -> bool:
        return self._revival is not None and not self._revival.done()

    async def _guarded(
        self,
        version: ModelVersion,
        inputs: Mapping[str, npt.NDArray[Any]],
        outputs: Sequence[str],
        rows: int,
        *,
        was_revived: bool = False,
    ) -> dict[str, npt.NDArray[Any]]:
        admitted = self._breaker.admitted(self._clock())
        if admitted is None:
            metrics.TRITON_CALLS.labels(model=self._model, outcome="breaker_open").inc()
            raise InferenceFailed(
                "breaker_open", f"{self._model} failed repeatedly and is not asked for a moment"
            )
        self._become(admitted)
        is_probe = admitted.probing
        metrics.BATCH_ROWS.labels(model=self._model).observe(rows)
        started_s = self._clock()
        outcome = "cancelled"
        try:
            arrays = await self._client.infer(self._model, version.version, inputs, outputs)
        except InferenceFailed as failure:
            outcome = failure.reason
            self._note(version, failure)
            if failure.reason in _SERVER_REASONS or (failure.reason == "stub_dead" and was_revived):
                self._become(self._breaker.failed(self._clock(), is_probe=is_probe))
            elif failure.reason == "stub_dead":
                self._become(self._breaker.abandoned())  # it will be revived and asked again
            else:
                self._become(self._breaker.succeeded())
            raise
        else:
            outcome = "ok"
            self._last_reason = None
            self._become(self._breaker.succeeded())
            return arrays
        finally:
            if outcome == "cancelled" and is_probe:
                self._become(self._breaker.abandoned())
            metrics.TRITON_CALLS.labels(model=self._model, outcome=outcome).inc()
            metrics.TRITON_SECONDS.labels(model=self._model).observe(self._clock() - started_s)

    async def _revive(self) -> None:
        """Unload and load, once for all calls that found the stub dead at the same time. Raises InferenceFailed."""
        if self._revival is None or self._revival.done():
            self._revived_at_s = None
            log.warning("model %s: its process on Triton was killed; unloading and loading it", self._model)
            self._revival = asyncio.create_task(self._client.reload(self._model))
        try:
            # Shielded: the first caller's cancellation must not leave the model unloaded.
            await asyncio.shield(self._revival)
            self._revived_at_s = self._clock()
        except InferenceFailed as failure:
            self._become(self._breaker.failed(self._clock(), is_probe=self._breaker.probing))
            raise InferenceFailed(
                "stub_dead",
                f"{self._model} could not be loaded anew ({failure}); restart Triton, or give it "
                "--model-control-mode=explicit and the worker SEKISHO_TRITON_ADMIN_KEY",
            ) from failure

    def _become(self, breaker: Breaker) -> None:
        if breaker.open != self._breaker.open:
            metrics.BREAKER_OPEN.labels(model=self._model).set(breaker.open)
            if breaker.open:
                log.warning("model %s: not asked for %.1f s", self._model, breaker.wait_s(self._clock()))
            else:
                log.info("model %s: answers again", self._model)
        self._breaker = breaker

    def _note(self, version: ModelVersion, failure: InferenceFailed) -> None:
        """Say it once per kind of failure, not once per call of an outage."""
        if failure.reason != self._last_reason:
            self._last_reason = failure.reason
            log.warning("model %s: %s", version, failure)
