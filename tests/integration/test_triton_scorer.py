"""The scorer against a real server: grouping, rows that fail alone, and what check() says."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from prometheus_client import REGISTRY

from streams.embedded.triton import EmbeddedTriton
from streams.inference.contracts import IMAGE_ENCODER, MESSAGE
from streams.inference.scorer import ModelFailure, ModelScore, ModelVersion, Scorer
from tests.integration.tiny_models import client_of, eventually, listing, message_sum, window

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = pytest.mark.embedded

SUM_3, SUM_4 = ModelVersion("message_sum", 3), ModelVersion("message_sum", 4)
PICKY = ModelVersion("message_picky", 1)
ROOT = ModelVersion("message_root", 1)
LISTING = ModelVersion("listing_sum", 1)


def _calls(model: str, outcome: str) -> float:
    return (
        REGISTRY.get_sample_value("sekisho_triton_calls_total", {"model": model, "outcome": outcome}) or 0.0
    )


def _requests(model: str) -> float:
    return REGISTRY.get_sample_value("sekisho_batch_rows_count", {"model": model}) or 0.0


async def test_rows_of_all_lengths_come_back_in_their_order(peaceful_triton: EmbeddedTriton):
    lengths = [1, 40, 3, 17, 64, 16, 33, 100]
    rows = [window(*([10] * length), writer=0) for length in lengths]
    async with client_of(peaceful_triton) as client:
        answers = await Scorer(client).score_messages(rows, [SUM_3, SUM_4])
    # Turns are cut at the largest bucket, 64 tokens.
    expected = [min(length, 64) * 10 for length in lengths]
    assert [a[SUM_3].score for a in answers] == pytest.approx([e * 0.001 for e in expected])
    assert [a[SUM_4].score for a in answers] == pytest.approx([e * 0.002 for e in expected])


async def test_one_request_for_each_bucket_of_at_most_the_largest_batch(peaceful_triton: EmbeddedTriton):
    rows = [window(1)] * (MESSAGE.max_batch_size + 1) + [window(*range(30))]
    before = _calls("message_sum", "ok")
    async with client_of(peaceful_triton) as client:
        answers = await Scorer(client).score_messages(rows, [SUM_3])
    assert all(isinstance(a[SUM_3], ModelScore) for a in answers)
    assert _calls("message_sum", "ok") - before == 3


async def test_writer_and_status_reach_the_model(peaceful_triton: EmbeddedTriton):
    async with client_of(peaceful_triton) as client:
        [answer] = await Scorer(client).score_messages([window(0, writer=2, status=4)], [SUM_3])
    assert answer[SUM_3] == ModelScore(0.25 * 2 + 0.125 * 4)


async def test_a_row_that_the_model_fails_on_costs_only_itself(peaceful_triton: EmbeddedTriton):
    rows = [window(5), window(666), window(7)]
    async with client_of(peaceful_triton) as client:
        answers = await Scorer(client).score_messages(rows, [PICKY, SUM_3])
    assert [type(a[PICKY]) for a in answers] == [ModelScore, ModelFailure, ModelScore]
    assert answers[1][PICKY] == ModelFailure("bad_row", retriable=False)
    assert [a[PICKY].score for a in (answers[0], answers[2])] == pytest.approx([0.05, 0.07])
    assert all(isinstance(a[SUM_3], ModelScore) for a in answers)


async def test_not_a_number_is_a_failure_of_that_row(peaceful_triton: EmbeddedTriton):
    rows = [window(4, writer=0), window(-4, writer=0), window(9, writer=0)]
    async with client_of(peaceful_triton) as client:
        answers = await Scorer(client).score_messages(rows, [ROOT])
    assert [a[ROOT] for a in answers] == [
        ModelScore(2.0), ModelFailure("not_finite", retriable=False), ModelScore(3.0)
    ]  # fmt: skip


async def test_an_absent_model_fails_alone_and_may_come(peaceful_triton: EmbeddedTriton):
    absent = ModelVersion("message_absent", 1)
    async with client_of(peaceful_triton) as client:
        scorer = Scorer(client)
        for _ in range(5):  # an answer, even this one, opens no breaker
            [answer] = await scorer.score_messages([window(1)], [absent, SUM_3])
    assert answer[absent] == ModelFailure("not_found", retriable=True)
    assert isinstance(answer[SUM_3], ModelScore)


async def test_listings_with_and_without_image(peaceful_triton: EmbeddedTriton):
    async with client_of(peaceful_triton) as client:
        answers = await Scorer(client).score_listings([listing(5, 6, image=0.5), listing(7)], [LISTING])
    assert answers[0][LISTING].score == pytest.approx(0.511)
    assert answers[0][LISTING].gate == (0.0, 1.0)
    assert answers[1][LISTING].score == pytest.approx(0.007)
    assert answers[1][LISTING].gate == (1.0, 0.0)


async def test_embeds_more_images_than_fit_one_request(peaceful_triton: EmbeddedTriton):
    images = [np.full((224, 224, 3), i, np.uint8) for i in range(IMAGE_ENCODER.max_batch_size + 2)]
    async with client_of(peaceful_triton) as client:
        embeddings = await Scorer(client).embed(images)
    assert all(e.shape == (1280,) and e.dtype == np.float32 for e in embeddings)
    np.testing.assert_allclose([e[0] for e in embeddings], range(len(images)))


async def test_nothing_asked_is_nothing_sent(peaceful_triton: EmbeddedTriton):
    async with client_of(peaceful_triton) as client:
        scorer = Scorer(client)
        assert await scorer.score_messages([], [SUM_3]) == []
        assert await scorer.score_messages([window(1)], []) == [{}]
        assert await scorer.embed([]) == []


async def test_an_image_of_another_size_is_the_callers_mistake(peaceful_triton: EmbeddedTriton):
    async with client_of(peaceful_triton) as client:
        with pytest.raises(ValueError, match=r"takes uint8 \[224, 224, 3\], not uint8 \(10, 10, 3\)"):
            await Scorer(client).embed([np.zeros((10, 10, 3), np.uint8)])


async def test_check_is_content_with_what_fits(peaceful_triton: EmbeddedTriton):
    wanted = [SUM_3, SUM_4, LISTING, ModelVersion("image_encoder", 1)]
    async with client_of(peaceful_triton) as client:
        assert await Scorer(client).check(wanted) == []


async def test_check_names_what_is_not_served(peaceful_triton: EmbeddedTriton):
    async with client_of(peaceful_triton) as client:
        problems = await Scorer(client).check([ModelVersion("message_sum", 5), SUM_3])
    assert problems == [
        "message_sum/5: not served; see `sekisho models list` for what is, and why this is not"
    ]


async def test_check_refuses_another_tokeniser(repository, start_triton):
    repository.put("message_sum", {1: message_sum("message_sum", 1.0)}, tokenizer="other-dictionary/7")
    async with client_of(start_triton(repository)) as client:
        [problem] = await Scorer(client).check([ModelVersion("message_sum", 1)])
    assert "trained with tokeniser other-dictionary/7" in problem


async def test_cancelling_the_caller_cancels_its_requests(peaceful_triton: EmbeddedTriton):
    slow = ModelVersion("message_slow", 1)
    async with client_of(peaceful_triton) as client:
        scorer = Scorer(client)
        before, sent = _calls("message_slow", "cancelled"), _requests("message_slow")
        rows = [window(*range(length), status=2000) for length in (5, 20, 40)]  # three requests
        task = asyncio.create_task(scorer.score_messages(rows, [slow]))
        await eventually(lambda: _requests("message_slow") - sent == 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert _calls("message_slow", "cancelled") - before == 3
        # The slots are free again.
        [answer] = await scorer.score_messages([window(1, status=1)], [slow])
    assert answer[slow] == ModelScore(1.0)
