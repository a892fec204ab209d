"""Triton answers UNAVAILABLE for a version that was taken out, which is not the server being away.

Counted as an outage, a challenger that is gone opened the breaker of the model, and the champion was not asked.
"""

from __future__ import annotations

import shutil

import pytest

from streams.inference.breaker import FAILURES_TO_OPEN
from streams.inference.scorer import ModelFailure, ModelScore, ModelVersion, Scorer
from tests.integration.tiny_models import client_of, message_sum, window

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = pytest.mark.embedded


async def test_the_champion_is_scored_beside_a_challenger_that_was_removed(repository, start_triton):
    champion, challenger = ModelVersion("message_sum", 1), ModelVersion("message_sum", 2)
    models = {1: message_sum("message_sum", 0.001), 2: message_sum("message_sum", 0.002)}
    repository.put("message_sum", models)
    async with client_of(start_triton(repository)) as client:
        scorer = Scorer(client)
        shutil.rmtree(repository.path / "message_sum" / "2")
        repository.put("message_sum", {1: models[1]})
        await client.load("message_sum")
        for _ in range(FAILURES_TO_OPEN + 1):
            [answer] = await scorer.score_messages([window(1000, writer=0)], [champion, challenger])
        assert answer == {champion: ModelScore(1.0), challenger: ModelFailure("not_found", retriable=True)}
