from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from streams.agents.word_sampling import count_words, vocabularies
from streams.cli import main
from streams.cli.policy_file import read_policy
from streams.drift.words import WordCounts
from streams.features.tokens import TextPipeline
from streams.inference.contracts import ModelVersion
from streams.settings import Settings

MODEL, OTHER = ModelVersion("message_harassment", 1), ModelVersion("listing_counterfeit", 1)


def prediction(identifier: str, **shown: Any) -> bytes:
    subject = (
        {"type": "listing", "listing_id": identifier, "seller_id": "s"}
        if "listing" in shown
        else {"type": "message", "message_id": identifier, "transaction_id": "t"}
    )
    body = {
        "subject": subject,
        "content": "c",
        "event_at": "2026-11-21T10:00:00.000Z",
        "scored_at": "2026-11-21T10:00:00.000Z",
        "source": {"topic": "messages", "partition": 0, "offset": 1},
        "input": shown,
        "scores": [],
        "rules": [],
        "alerts": [],
        "notes": [],
        "ruleset": "r",
        "policy": "p",
    }
    return json.dumps(body).encode()


def message(identifier: str, *texts: str) -> bytes:
    turns = [{"message_id": str(n), "writer": "buyer", "text": text} for n, text in enumerate(texts)]
    return prediction(identifier, status="shipped", messages=turns)


def listing(identifier: str, title: str, description: str) -> bytes:
    return prediction(
        identifier,
        listing={
            "listing_id": identifier, "seller_id": "s", "title": title, "description": description,
            "price": None, "currency": None, "category": None, "brand": None, "condition": None,
            "images": 0, "attributes": {},
        },
    )  # fmt: skip


def test_the_judged_text_is_counted_by_the_models_of_its_kind() -> None:
    text = TextPipeline()
    known = {
        "message": {MODEL: np.sort(text.prepare("発送しました").tokens)},
        "listing": {OTHER: np.sort(text.prepare("新品のバッグ").tokens)},
    }
    counts = {MODEL: WordCounts(), OTHER: WordCounts()}
    for value in (
        message("m1", "モノペイで", "発送しました"),
        message("m2", "モノペイで発送しました"),
        message("stress-1", "モノペイ"),
        listing("l1", "新品のバッグ", ""),
        b"no prediction",
        None,
    ):
        count_words(value, text, known, counts)
    assert (counts[MODEL].texts, counts[OTHER].texts) == (2, 1)
    assert counts[OTHER].unknown == 0
    assert set(counts[MODEL].found) <= {"モノ", "ペイ", "モノペイ", "で"}
    assert counts[MODEL].unknown >= 1


def test_the_words_of_the_models_that_the_policy_names() -> None:
    settings = Settings()
    policy = read_policy(settings)
    every = vocabularies(settings.model_repository, policy)
    one = vocabularies(settings.model_repository, policy, domain="harassment")
    assert len(every["message"]) > 1
    assert list(one["message"]) == [MODEL]
    assert not one["listing"]
    assert len(one["message"][MODEL]) > 1_000


@pytest.mark.parametrize("content", [None, b"\x3a\x05ab"])
def test_a_model_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        path = tmp_path / "message_harassment" / "1"
        path.mkdir(parents=True)
        (path / "model.onnx").write_bytes(content)
    result = CliRunner(env={"SEKISHO_MODEL_REPOSITORY": str(tmp_path)}).invoke(
        main, ["drift", "--words", "--domain", "harassment"]
    )
    assert result.exit_code == 1
    assert "message_harassment" in result.stderr
    assert "no ONNX model" in result.stderr if content else "SEKISHO_MODEL_REPOSITORY" in result.stderr


def test_what_cannot_be_compared_is_refused() -> None:
    unknown = CliRunner().invoke(main, ["drift", "--domain", "nothing"])
    swapped = CliRunner().invoke(main, ["drift", "--since", "7d", "--reference", "1d"])
    assert unknown.exit_code == swapped.exit_code == 2
    assert "harassment" in unknown.stderr
    assert "reference must begin before" in swapped.stderr
