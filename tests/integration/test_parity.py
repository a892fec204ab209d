"""Torch, ONNX Runtime and a real Triton give the same scores: trained models, half-stored weights, every batch and length."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import marketplace
from marketplace import conversations, listings
from models.data.datasets import ListingSet, MessageSet, listing_set, message_set
from models.data.tables import listing_table, message_table
from models.data.vocabulary import Vocabulary, build_vocabulary
from models.export.graph import listing_onnx, message_onnx, round_to_half, session, stored_half
from models.export.parity import departures, requests, runtime_answers, torch_answers, triton_answers
from models.export.quantisation import int8_onnx
from models.networks.conversation import ConversationNetwork, ConversationShape
from models.networks.listing import ListingNetwork, ListingShape, ListingStatistics
from models.training.loop import TrainingPlan, train
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH
from streams.features.tokens import TextPipeline
from streams.inference.contracts import ModelVersion, family_of
from tests.integration.tiny_models import client_of, put_model

pytest_plugins = ("tests.integration.triton_fixtures",)
pytestmark = [pytest.mark.embedded, pytest.mark.train]

START = datetime(2026, 1, 1, tzinfo=UTC)
PLAN = TrainingPlan(epochs=1)


@pytest.fixture(scope="module")
def messages() -> MessageSet:
    examples = marketplace.message_examples(5, 600, start=START, mix=conversations.TRAINING)
    return message_set(examples, TextPipeline())


@pytest.fixture(scope="module")
def goods() -> ListingSet:
    """Listings whose pictures' features are drawn: what they look like does not matter here."""
    rng = np.random.default_rng(3)
    return listing_set(
        marketplace.listing_examples(5, 300, start=START, mix=listings.TRAINING),
        TextPipeline(),
        lambda _: rng.gamma(0.5, 0.5, IMAGE_WIDTH).astype(np.float32) if rng.random() < 0.7 else None,
    )


def trained_message(found: MessageSet, words: Vocabulary) -> nn.Module:
    torch.manual_seed(1)
    network = ConversationNetwork(words.size, ConversationShape(embedding_width=32, filters=12, hidden=16))
    table = message_table(found.features, found.labels["harassment"], words)
    train(network, table, table, PLAN)
    return network


def trained_listing(found: ListingSet, words: Vocabulary, shape: ListingShape) -> nn.Module:
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    idf = np.concatenate([[0, 0], rng.uniform(1, 6, words.size - 2)]).astype(np.float32)
    aux = np.stack([row.aux for row in found.features])
    network = ListingNetwork(
        ListingStatistics(
            torch.from_numpy(idf), torch.full((IMAGE_WIDTH,), 0.25), torch.full((IMAGE_WIDTH,), 0.35),
            torch.from_numpy(aux.mean(axis=0)), torch.from_numpy(aux.std(axis=0)),
        ),
        shape,
    )  # fmt: skip
    table = listing_table(found.features, found.labels["counterfeit"], words)
    train(network, table, table, PLAN)
    return network


async def differing(server, name: str, network: nn.Module, words: Vocabulary, model: onnx.ModelProto) -> list:
    """Every departure of ONNX Runtime and of Triton from torch."""
    asked = list(requests(family_of(name), words, seed=7))
    expected = torch_answers(network, words, asked)
    assert len({round(float(a["score"][0, 0]), 6) for a in expected}) > 3, "scores vary"
    async with client_of(server) as client:
        served = await triton_answers(client, ModelVersion(name, 1), asked)
    return departures(asked, expected, runtime_answers(session(model), asked)) + departures(
        asked, expected, served
    )


def test_messages(repository, start_triton, messages: MessageSet) -> None:
    words = build_vocabulary(tokens for window in messages.features for tokens in window.tokens)
    network = trained_message(messages, words)
    models = {"message_single": message_onnx(network, words)}
    round_to_half(network)
    models["message_half"] = stored_half(message_onnx(network, words))
    assert len(models["message_half"].SerializeToString()) < len(models["message_single"].SerializeToString())
    for name, model in models.items():
        put_model(repository.path, name, {1: model})
    server = start_triton(repository)
    # The network now has rounded weights, so the unrounded file is compared by the unrounded network below.
    assert asyncio.run(differing(server, "message_half", network, words, models["message_half"])) == []
    unrounded = trained_message(messages, words)
    assert asyncio.run(differing(server, "message_single", unrounded, words, models["message_single"])) == []
    # The comparison can fail: rounding 30,000 weights is seen.
    assert asyncio.run(differing(server, "message_single", network, words, models["message_half"])) != []


@pytest.mark.parametrize("fusion", ["gmu", "concat", "linear_sum", "max_pool"])
def test_listings(repository, start_triton, goods: ListingSet, fusion: str) -> None:
    words = build_vocabulary(listing.tokens for listing in goods.features)
    small = ListingShape(text_width=16, fused_width=12, hidden=12)
    shape = dataclasses.replace(small, fusion=fusion, batch_norm=fusion in ("gmu", "concat"))
    network = trained_listing(goods, words, shape)
    round_to_half(network)
    model = stored_half(listing_onnx(network, words, image_width=IMAGE_WIDTH, aux_width=len(AUX_NAMES)))
    put_model(repository.path, "listing_half", {1: model})
    server = start_triton(repository)
    assert asyncio.run(differing(server, "listing_half", network, words, model)) == []


def test_an_int8_model_is_served_as_it_answers_here(repository, start_triton, messages: MessageSet) -> None:
    words = build_vocabulary(tokens for window in messages.features for tokens in window.tokens)
    network = trained_message(messages, words)
    asked = list(requests(family_of("message_int8"), words, seed=7))
    model = int8_onnx(message_onnx(network, words), [request.rows for request in asked])
    put_model(repository.path, "message_int8", {1: model})
    server = start_triton(repository)

    async def served() -> list:
        async with client_of(server) as client:
            return await triton_answers(client, ModelVersion("message_int8", 1), asked)

    here = runtime_answers(session(model), asked)
    assert departures(asked, here, asyncio.run(served())) == []
    assert departures(asked, here, torch_answers(network, words, asked)) != []
