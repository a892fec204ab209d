from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc import model_config_pb2

from streams.features.tensors import LISTING_BUCKETS, MESSAGE_BUCKETS
from streams.inference.contracts import (
    IMAGE_ENCODER,
    LISTING,
    MESSAGE,
    ModelVersion,
    ServedConfig,
    TensorSpec,
    VersionFacts,
    config_pbtxt,
    contract_problems,
    family_of,
)

HERE = Path(__file__).parent
FACTS = VersionFacts("unidic-lite-1.0.8/1", 0.91)
V1 = ModelVersion("message_x", 1)


def parsed(text: str) -> model_config_pb2.ModelConfig:
    return text_format.Parse(text, model_config_pb2.ModelConfig())


@pytest.mark.parametrize("model", ["message_harassment", "listing_counterfeit", "image_encoder"])
def test_configuration_is_as_approved(model):
    # To approve a change, copy the text that this prints over the file.
    facts = VersionFacts() if model == "image_encoder" else FACTS
    assert config_pbtxt(model, {1: facts, 3: facts}) == (HERE / f"{model}.approved.pbtxt").read_text()


def test_triton_reads_what_was_meant():
    config = parsed(config_pbtxt("listing_counterfeit", {2: FACTS}, instances=2, queue_delay_us=500))
    assert config.backend == "onnxruntime"
    assert config.max_batch_size == LISTING.max_batch_size
    assert [(i.name, list(i.dims)) for i in config.input] == [(t.name, list(t.dims)) for t in LISTING.inputs]
    assert [(o.name, list(o.dims)) for o in config.output] == [
        (t.name, list(t.dims)) for t in LISTING.outputs
    ]
    assert list(config.version_policy.specific.versions) == [2]
    assert config.dynamic_batching.max_queue_delay_microseconds == 500
    assert config.instance_group[0].count == 2
    assert config.instance_group[0].kind == model_config_pb2.ModelInstanceGroup.KIND_AUTO
    assert config.parameters["intra_op_thread_count"].string_value == "1"
    assert config.parameters["sekisho.v2.threshold"].string_value == "0.91"


def test_each_bucket_is_run_before_a_version_is_ready():
    for model, buckets in (("message_x", MESSAGE_BUCKETS), ("listing_x", LISTING_BUCKETS)):
        warmups = parsed(config_pbtxt(model, {1: FACTS})).model_warmup
        assert [w.inputs["tokens"].dims[-1] for w in warmups] == list(buckets)
        assert all(w.batch_size == 1 and w.inputs["tokens"].zero_data for w in warmups)


def test_the_highest_versions_may_be_chosen_by_triton():
    config = parsed(config_pbtxt("message_x", {1: FACTS, 2: FACTS}, keep_latest=2))
    assert config.version_policy.latest.num_versions == 2


@given(st.text(max_size=40))
def test_any_tokenizer_name_survives_the_file(name: str):
    # Surrogates cannot be in UTF-8 files, and a tokeniser's name is never empty.
    if not name or not name.isprintable():
        return
    config = parsed(config_pbtxt("message_x", {1: VersionFacts(name)}))
    assert config.parameters["sekisho.v1.tokenizer"].string_value == name


@pytest.mark.parametrize(
    ("model", "family"),
    [("message_a_1", MESSAGE), ("listing_counterfeit", LISTING), ("image_encoder", IMAGE_ENCODER)],
)
def test_the_name_tells_the_family(model, family):
    assert family_of(model) is family


@pytest.mark.parametrize("name", ["", "message_", "image_encoder2", "Message_x", "listing_x/../y", "conv_x"])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="is not a model name"):
        family_of(name)


@pytest.mark.parametrize(
    ("versions", "keep_latest", "message"),
    [
        ({}, None, "at least one version"),
        ({0: FACTS}, None, "counted from 1"),
        ({1: VersionFacts()}, None, "must name the tokeniser"),
        ({1: VersionFacts("t", float("nan"))}, None, "must be finite"),
        ({1: FACTS}, 0, "keep_latest must be at least 1"),
    ],
)
def test_impossible_configurations_are_refused(versions, keep_latest, message):
    with pytest.raises(ValueError, match=message):
        config_pbtxt("message_x", versions, keep_latest=keep_latest)


FITTING = ServedConfig(MESSAGE.inputs, MESSAGE.outputs, 64, {"sekisho.v1.tokenizer": "t/1"})


def test_a_fitting_model_has_no_problems():
    assert contract_problems(V1, FITTING, "t/1") == []
    encoder = ServedConfig(IMAGE_ENCODER.inputs, IMAGE_ENCODER.outputs, 32)
    assert contract_problems(ModelVersion("image_encoder", 1), encoder, "t/1") == []


@pytest.mark.parametrize(
    ("served", "tokenizer", "expected"),
    [
        (FITTING, "t/2", "trained with tokeniser t/1, this engine has t/2"),
        (replace(FITTING, parameters={}), "t/1", "no parameter sekisho.v1.tokenizer"),
        (replace(FITTING, max_batch_size=8), "t/1", "takes 8 rows a request, requests hold up to 64"),
        (replace(FITTING, outputs=()), "t/1", "has no output 'score'"),
        (replace(FITTING, inputs=MESSAGE.inputs[:2]), "t/1", "has no input 'status'"),
        (
            replace(FITTING, inputs=(*MESSAGE.inputs, TensorSpec("price", "FP32", (1,)))),
            "t/1",
            "wants an input 'price'",
        ),
        (
            replace(FITTING, outputs=(TensorSpec("score", "FP32", (2,)),)),
            "t/1",
            "output 'score' is FP32 [2], the contract says FP32 [1]",
        ),
    ],
)
def test_each_departure_is_named(served, tokenizer, expected):
    [problem] = contract_problems(V1, served, tokenizer)
    assert problem.startswith("message_x/1: ")
    assert expected in problem


def test_a_name_without_a_family_is_a_problem():
    assert "is not a model name" in contract_problems(ModelVersion("spam", 1), FITTING, "t/1")[0]
