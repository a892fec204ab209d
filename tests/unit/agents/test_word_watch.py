from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import REGISTRY

from streams.agents.drift_desk import DriftDesk
from streams.agents.word_watch import WordWatch
from streams.cli.policy_file import read_policy
from streams.drift.words import WordCounts, WordDrift
from streams.inference.contracts import ModelVersion
from streams.settings import Settings

NOBODY = "127.0.0.1:9"


def watch(settings: Settings) -> WordWatch:
    policy = read_policy(settings)
    return WordWatch(settings, policy=lambda: policy)


async def test_where_triton_is_elsewhere_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watching = watch(Settings(model_repository=tmp_path, broker=NOBODY))
    with caplog.at_level(logging.INFO):
        await watching.look()
        await watching.look()
    assert watching.found() == ()
    (said,) = [record.message for record in caplog.records if "unknown words" in record.message]
    assert "SEKISHO_MODEL_REPOSITORY" in said


async def test_a_broker_that_is_away_is_said_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    watching = watch(Settings(broker=NOBODY))
    with caplog.at_level(logging.WARNING):
        await watching.look()
    assert watching.found() == ()
    assert any("could not be counted this time" in record.message for record in caplog.records)


async def test_it_stops_at_once() -> None:
    watching = watch(Settings(broker=NOBODY))
    watching.start()
    await watching.stop()
    assert watching.found() == ()


async def test_what_was_found_is_shown_and_exposed(tmp_path: Path) -> None:
    before, now = WordCounts(), WordCounts()
    for _ in range(1_000):
        before.add(["a", "b"], np.array([False, False]))
        now.add(["a", "モノペイ"], np.array([False, True]))
    drift = WordDrift(ModelVersion("m", 7), before, now)

    class Found(WordWatch):
        def found(self) -> Sequence[WordDrift]:
            return [drift]

    settings = Settings(data_dir=tmp_path)
    desk = DriftDesk(settings, tallies=dict, words=Found(settings, policy=lambda: read_policy(settings)))
    await desk.compare()
    share = REGISTRY.get_sample_value(
        "sekisho_drift_unknown_words", {"model": "m", "version": "7", "period": "now"}
    )
    level = {"of": "words", "domain": "", "name": "m", "version": "7"}
    assert share == 0.5
    assert REGISTRY.get_sample_value("sekisho_drift_level", level) == 2
    (shown,) = desk.page()["words"]
    assert shown["new_words"] == ["モノペイ"]
