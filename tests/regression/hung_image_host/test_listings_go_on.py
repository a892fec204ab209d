"""A host of pictures that accepts connections and says nothing held a batch for minutes: three times 3 s a listing, sixteen
listings at a time. A stop waited for it, and the watch over progress took it for a stall.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from streams.agents.intake import take_in
from streams.agents.lane import Delivery
from streams.agents.listings import ListingIntake
from streams.agents.scoring import ModelStep
from streams.agents.screening_lane import LaneEnds, ScreeningLane
from streams.features.images import ImageLoader
from streams.features.tensors import ListingFeatures
from streams.features.tokens import TextPipeline
from streams.inference.scorer import ModelScore, ModelVersion
from streams.kafka.outbox import Outbox
from streams.rulebook import LiveRulebook
from streams.screening import Case, Examiner, Source
from streams.settings import Settings
from tests.regression.partitions_taken_away.test_nothing_more_is_done_for_them import Record

MODEL = ModelVersion("listing_counterfeit", 1)
POLICY = """\
format: 1
domains:
  counterfeit:
    title: Counterfeit
    applies_to: listing
    severity: medium
    champion: {model: listing_counterfeit, version: 1, threshold: 0.5}
"""
#: What a host may take at most by the settings: no test waits for that.
FOR_EVER_S = 3600.0


class Models:
    """Scores at once; knows which listings had a picture."""

    def __init__(self) -> None:
        self.with_picture: list[bool] = []

    async def score_listings(
        self, rows: Sequence[ListingFeatures], wanted: Sequence[ModelVersion]
    ) -> list[dict[ModelVersion, ModelScore]]:
        self.with_picture += [row.image is not None for row in rows]
        return [{MODEL: ModelScore(0.25)} for _ in rows]


class Acknowledged:
    """Stands for Kafka: takes every record."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes]] = []

    async def send(self, topic: str, *, value: bytes, **_: Any) -> asyncio.Future[None]:
        self.records.append((topic, value))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


@pytest_asyncio.fixture
async def silent_host() -> AsyncIterator[str]:
    """Accepts, reads, says nothing."""
    over = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    yield f"localhost:{server.sockets[0].getsockname()[1]}"
    over.set()
    server.close()


async def _forty_listings(silent_host: str, tmp_path: Path, *, again: bool) -> tuple[Models, Acknowledged]:
    """What becomes of listings with pictures at that host, when they come, or when they come `again` from `rescore`."""
    (tmp_path / "domains.yaml").write_text(POLICY)
    live = LiveRulebook(tmp_path, poll_s=60)
    await live.start()
    await live.stop()
    loader = ImageLoader(hosts=(silent_host,), paths=None, timeout_s=FOR_EVER_S, allow_address=lambda _: True)
    await loader.start()
    models, kafka, completed = Models(), Acknowledged(), asyncio.Event()
    settings = Settings(score_deadline_s=3.0)
    screening = ScreeningLane(
        settings,
        models=ModelStep(models, deadline_s=settings.score_deadline_s, batch_rows=64),  # type: ignore[arg-type]
        outbox=Outbox(kafka),  # type: ignore[arg-type]
        ends=LaneEnds(
            complete=lambda _: completed.set(),
            is_current=lambda _: True,
            holding=lambda: 1,
            fail=lambda error: pytest.fail(str(error)),
        ),
        patient=again,
    )
    screening.lane.start()
    examiner = Examiner(rulebook=live, text=TextPipeline(mask=True), images=loader)
    hung = [{"url": f"http://{silent_host}/{number}.jpg"} for number in range(3)]
    records = [
        Record(
            number,
            orjson.dumps({"listing_id": f"l{number}", "seller_id": "s", "title": "靴", "images": hung}),
            topic="listings",
        )
        for number in range(40)
    ]
    intake = ListingIntake(examiner)

    def examine(source: Source) -> Case:
        case = intake.examine(source)
        case.attempts = int(again)
        return case

    await take_in(
        Delivery("listings", 0, 39, 1, len(records)),
        records,
        lane=screening.lane,
        examine=examine,
        max_record_bytes=1 << 20,
    )
    async with asyncio.timeout(FOR_EVER_S / 30):
        await screening.lane.wait_empty()  # what a drain waits for
    assert completed.is_set(), "what the watch looks at has moved"
    await screening.lane.stop()
    await loader.close()
    return models, kafka


async def test_a_listing_is_put_aside_when_its_picture_does_not_come(
    silent_host: str, tmp_path: Path
) -> None:
    models, kafka = await _forty_listings(silent_host, tmp_path, again=False)
    assert [topic for topic, _ in kafka.records] == ["rescore"] * 40
    assert models.with_picture == []


async def test_it_is_scored_without_when_the_picture_does_not_come_again(
    silent_host: str, tmp_path: Path
) -> None:
    models, kafka = await _forty_listings(silent_host, tmp_path, again=True)
    predictions = [orjson.loads(value) for topic, value in kafka.records if topic == "predictions"]
    assert len(predictions) == 40
    assert all("image_timeout" in prediction["notes"] for prediction in predictions)
    assert models.with_picture == [False] * 40
