"""Corrections to faust-streaming 0.15.3: one file each, named after what it corrects, composed here.

Every file states the fault with the place in Faust's source, what was observed, and the change, so that each can be
offered upstream and deleted here when it has been taken. `tests/regression/faust_*` holds a test for each that fails
without its correction. The version is pinned exactly in pyproject.toml and checked here, because the corrections
override private methods.
"""

from __future__ import annotations

from importlib.metadata import version

import faust
from faust.transport.drivers import aiokafka as driver

from streams.kafka.faust_corrections.batch_events import BatchEvents, PassThroughSchema
from streams.kafka.faust_corrections.commit_frontier import CommitFrontier
from streams.kafka.faust_corrections.committed_offsets import CommittedOffsets
from streams.kafka.faust_corrections.consumer_thread import CorrectedConsumerThread
from streams.kafka.faust_corrections.coordinator_errors import CoordinatorErrors
from streams.kafka.faust_corrections.lost_generation import LostGeneration
from streams.kafka.faust_corrections.paused_fetch import PausedFetch
from streams.kafka.faust_corrections.recovery import CorrectedTableManager
from streams.kafka.faust_corrections.revoke import DrainOnRevoke, StopsInOrder

__all__ = ["CorrectedApp", "CorrectedConsumer", "CorrectedTableManager", "PassThroughSchema"]

#: The one version that these corrections were written against and tested with.
CORRECTED_VERSION = "0.15.3"

if version("faust-streaming") != CORRECTED_VERSION:  # pragma: no cover - a broken installation
    raise ImportError(
        f"streams.kafka.faust_corrections overrides private methods of faust-streaming {CORRECTED_VERSION}, "
        f"but {version('faust-streaming')} is installed: install the pinned version (constraints.txt)"
    )


class CorrectedThread(LostGeneration, CoordinatorErrors, CommittedOffsets, CorrectedConsumerThread):
    """The thread that Faust's aiokafka consumer runs in."""


class CorrectedConsumer(DrainOnRevoke, BatchEvents, CommitFrontier, PausedFetch, driver.Consumer):  # type: ignore[misc]
    """Faust's aiokafka consumer with all corrections; the order of the bases is the order of the calls."""

    def _new_consumer_thread(self) -> CorrectedThread:
        return CorrectedThread(self, loop=self.loop, beacon=self.beacon)


class CorrectedTransport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport, making corrected consumers."""

    Consumer = CorrectedConsumer


class CorrectedApp(StopsInOrder, faust.App):  # type: ignore[misc]
    """A Faust app whose consumer and table recovery are corrected. Pass `TableManager=CorrectedTableManager`."""

    def _new_transport(self) -> CorrectedTransport:
        return CorrectedTransport(self.conf.broker_consumer, self)
