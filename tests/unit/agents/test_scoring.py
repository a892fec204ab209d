"""The models' step: so many parts at once, smaller ones for slow models, nothing begun that cannot be in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest_asyncio

from streams.agents.scoring import PARTS_AT_ONCE, ModelStep, without_scores
from streams.alerts import Screened, message_subject
from streams.conclusion import conclude
from streams.events import Message, Position
from streams.features.tensors import WindowFeatures
from streams.inference.scorer import ModelFailure, ModelScore, ModelVersion
from streams.rulebook import LiveRulebook
from streams.screening import Case, Source, wanted_models
from streams.windows import Turn

POLICY = """\
format: 1
domains:
  harassment:
    title: Harassment
    applies_to: message
    severity: medium
    champion: {model: message_harassment, version: 1, threshold: 0.5}
"""
MODEL = ModelVersion("message_harassment", 1)
DEADLINE_S = 2.0


@dataclass
class Models:
    """Answers when it is let, after a while; notes how many rows it was asked for, and how many calls it had at once."""

    takes_s: float = 0.0
    open: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[int] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def score_messages(
        self, rows: Sequence[WindowFeatures], wanted: Sequence[ModelVersion]
    ) -> list[dict[ModelVersion, ModelScore | ModelFailure]]:
        self.asked.append(len(rows))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.open.wait()
            await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
        return [{MODEL: ModelScore(0.1 * row.status)} for row in rows]


def step(models: Models, *, batch_rows: int = 64) -> ModelStep:
    return ModelStep(models, deadline_s=DEADLINE_S, batch_rows=batch_rows)  # type: ignore[arg-type]


@pytest_asyncio.fixture
async def cases(tmp_path: Path) -> list[Case]:
    """64 of them, told apart by their status."""
    (tmp_path / "domains.yaml").write_text(POLICY)
    live = LiveRulebook(tmp_path, poll_s=60)
    await live.start()
    await live.stop()
    message = Message(message_id="m1", transaction_id="t1", writer="buyer", text="LINE")
    case = Case(
        screened=Screened(
            subject=message_subject(message),
            position=Position("messages", 0, 5),
            event_at_us=0,
            notes=(),
            rules=(),
            shown={"messages": []},
            ruleset="r",
            policy="p",
        ),
        source=Source(Position("messages", 0, 5), 1_000_000, b"t1", b"{}"),
        rulebook=live.current,
        wanted=wanted_models(live.current.policy, "message"),
        features=WindowFeatures((np.array([1], np.int64),), (1,), 0),
        turns=(Turn(5, "m1", 7, "buyer", "LINE"),),
    )
    return [
        replace(case, features=WindowFeatures((np.array([1], np.int64),), (1,), n % 7)) for n in range(64)
    ]


async def test_every_case_gets_its_own_score_however_it_was_parted(cases: list[Case]) -> None:
    models = Models()
    models.open.set()
    for batch_rows in (64, 10):
        scores = await step(models, batch_rows=batch_rows).score(cases)
        assert [each.outcomes[MODEL] for each in scores] == [ModelScore(0.1 * (n % 7)) for n in range(64)]
    assert models.asked == [64, 10, 10, 10, 10, 10, 10, 4]


async def test_slow_models_are_asked_for_less_at_once(cases: list[Case]) -> None:
    models = Models(takes_s=DEADLINE_S / 4)  # longer than the fifth that is aimed at
    models.open.set()
    one = step(models)
    for _ in range(5):
        await one.score(cases[: one._pace.rows])
    assert models.asked == [64, 32, 16, 8, 8]
    models.takes_s = 0.0
    await one.score(cases)
    assert models.asked[5] == 8
    assert max(models.asked[5:]) > 8


async def test_parts_wait_for_a_turn_and_what_cannot_be_in_time_is_not_begun(cases: list[Case]) -> None:
    models = Models()
    one = step(models)
    held = [asyncio.create_task(one.score(cases[:1])) for _ in range(PARTS_AT_ONCE)]
    async with asyncio.timeout(60):
        while len(models.asked) < PARTS_AT_ONCE:  # noqa: ASYNC110 - of a plain list
            await asyncio.sleep(0.001)
    late = await one.score(cases[:3], waited_s=DEADLINE_S)
    assert [each.outcomes[MODEL] for each in late] == 3 * [ModelFailure("deadline", retriable=True)]
    assert models.asked == PARTS_AT_ONCE * [1], "nobody waits for what would come too late"
    for each in await asyncio.gather(*held):
        assert each[0].outcomes[MODEL] == ModelFailure("deadline", retriable=True)
    models.open.set()
    assert (await one.score(cases[:1]))[0].outcomes[MODEL] == ModelScore(0.0), "turns are given back"
    assert models.most_at_once == PARTS_AT_ONCE


async def test_a_part_whose_time_is_up_is_not_begun_although_a_turn_is_free(cases: list[Case]) -> None:
    models = Models()
    models.open.set()
    one = step(models)
    now_s = asyncio.get_running_loop().time()
    pictures = [None] * 3
    # A fifth of the deadline is what a part is to take: a tenth is too little.
    late = await one._score_part(cases[:3], pictures, until_s=now_s + DEADLINE_S / 10)
    assert [each.outcomes[MODEL] for each in late] == 3 * [ModelFailure("deadline", retriable=True)]
    assert models.asked == []
    await one._score_part(cases[:3], pictures, until_s=now_s + 10 * DEADLINE_S)
    assert models.asked == [3]


async def test_a_case_without_scores_lets_its_picture_go_and_is_put_aside(cases: list[Case]) -> None:
    case = cases[0]
    case.image = asyncio.ensure_future(asyncio.sleep(3600, (None, ())))
    given_up = without_scores(case)
    await asyncio.sleep(0)
    assert case.image.cancelled()
    conclusion = conclude(
        case, given_up.outcomes, notes=given_up.notes, now_us=2_000_000, rescore_max_age_us=3_600_000_000
    )
    assert conclusion.aside
    assert conclusion.prediction is None
