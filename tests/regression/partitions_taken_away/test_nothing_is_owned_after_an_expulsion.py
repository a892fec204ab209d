"""Between its expulsion from the group and the moment when it was told, a worker took the partitions for its own.

It went on dropping conversations from their windows and deciding thresholds for all, beside the new owner.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from faust.types import TP

from streams.app import Pipeline
from streams.inference.triton import TritonClient
from streams.rulebook import LiveRulebook
from streams.settings import Settings


async def test_what_the_group_took_away_is_nobody_s_to_tend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path, rules_dir=tmp_path)
    triton = TritonClient.from_settings(settings)
    pipeline = Pipeline(
        settings, rulebook=LiveRulebook(settings.rules_dir, poll_s=5.0), triton=triton, fail=lambda _: None
    )
    consumer = pipeline.app.consumer
    # As after an assignment and the recovery that follows it; the consumer goes on to name what it was assigned.
    monkeypatch.setattr(consumer, "assignment", lambda: frozenset({TP("messages", 0), TP("listings", 1)}))
    consumer.holds_partitions = True
    pipeline.app.rebalancing = False
    pipeline.app.tables.actives_ready = True
    try:
        assert pipeline._owned_messages() == {0}
        assert pipeline.is_first
        consumer.on_expelled()
        assert pipeline._owned_messages() == frozenset()
        assert not pipeline.is_first
    finally:
        await triton.close()
        await pipeline._producer.stop()
