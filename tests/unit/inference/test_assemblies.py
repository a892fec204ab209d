"""Which versions are asked of which assembly, and what is one at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc import model_config_pb2

from streams.features.tokens import TOKENIZER
from streams.inference.assemblies import Assembly, assembly_name, assembly_of, shared
from streams.inference.contracts import (
    MESSAGE,
    TRUNK,
    ModelVersion,
    ServedConfig,
    VersionFacts,
    config_pbtxt,
    contract_problems,
    family_of,
    head_named,
    head_outputs,
)

NAME = "trunk_0123456789ab"
FACTS = {1: VersionFacts(TOKENIZER)}
A1, B2, C1, D7 = (
    ModelVersion(f"message_{name}", number) for name, number in (("a", 1), ("b", 2), ("c", 1), ("d", 7))
)
SERVED = ServedConfig(TRUNK.inputs, head_outputs([A1, B2]), 64, {"sekisho.v1.tokenizer": TOKENIZER})

versions = st.builds(
    ModelVersion, st.sampled_from(["message_a", "message_b", "message_c"]), st.integers(1, 3)
)
assemblies = st.builds(
    Assembly,
    st.builds(
        ModelVersion, st.text("0123456789abcdef", min_size=12, max_size=12).map("trunk_".__add__), st.just(1)
    ),
    st.lists(versions, unique=True, max_size=6).map(tuple),
)


def assembly(name: str, *heads: ModelVersion) -> Assembly:
    return Assembly(ModelVersion(f"trunk_{name * 12}", 1), heads)


@given(st.lists(versions, unique=True), st.lists(assemblies, max_size=4))
def test_every_version_is_asked_once_and_of_whoever_holds_it(wanted, served):
    groups = shared(wanted, served)
    assert sorted(version for _, members in groups for version in members) == sorted(wanted)
    for one, members in groups:
        if one is None:
            assert len(members) == 1
        else:
            assert len(members) >= 2
            assert set(members) <= set(one.heads)
    # Nothing is asked alone that could have gone with another that is asked alone.
    alone = {members[0] for one, members in groups if one is None}
    assert all(len(alone & set(one.heads)) < 2 for one in served)
    assert groups == shared(wanted, list(reversed(served)))


def test_the_assembly_that_holds_most_goes_first():
    small, large = assembly("a", A1, B2), assembly("b", A1, B2, C1)
    assert shared([A1, B2, C1, D7], [small, large]) == [(large, (A1, B2, C1)), (None, (D7,))]
    assert shared([A1, D7], [small, large]) == [(None, (A1,)), (None, (D7,))]
    assert shared([A1, B2], []) == [(None, (A1,)), (None, (B2,))]
    newer = assembly("c", A1, ModelVersion("message_b", 3))
    # A head that was promoted since: it alone is asked alone.
    assert shared([A1, ModelVersion("message_b", 3), C1], [large]) == [
        (large, (A1, C1)), (None, (ModelVersion("message_b", 3),))
    ]  # fmt: skip
    assert shared([A1, ModelVersion("message_b", 3), C1], [newer])[0] == (newer, newer.heads)


def test_a_name_means_one_content():
    assert assembly_name(b"graph") == assembly_name(b"graph") != assembly_name(b"grapg")
    assert family_of(assembly_name(b"graph")) is TRUNK


@given(versions)
def test_outputs_carry_the_versions_they_are_of(version):
    (output,) = head_outputs([version])
    assert head_named(output.name) == version
    assert (output.data_type, output.dims) == ("FP32", (1,))


@pytest.mark.parametrize(
    "name", ["score", "message_a", "message_a/0", "message_a/01", "listing_a/1", "x/message_a/1"]
)
def test_other_outputs_are_no_heads(name):
    assert head_named(name) is None


def test_triton_reads_an_assemblys_configuration():
    for offered, said in ((False, "no"), (True, "yes")):
        text = config_pbtxt(NAME, FACTS, heads=[A1, B2], offered=offered)
        config = text_format.Parse(text, model_config_pb2.ModelConfig())
        assert [(o.name, list(o.dims)) for o in config.output] == [("message_a/1", [1]), ("message_b/2", [1])]
        assert [i.name for i in config.input] == [i.name for i in MESSAGE.inputs]
        assert config.parameters["sekisho.offered"].string_value == said


def test_only_assemblies_have_heads():
    for model, heads in ((NAME, []), ("message_a", [A1])):
        with pytest.raises(ValueError, match="an assembly has heads, and no other model has"):
            config_pbtxt(model, FACTS, heads=heads)


@pytest.mark.parametrize(
    "served",
    [
        replace(SERVED, parameters={"sekisho.v1.tokenizer": "other/1"}),
        replace(SERVED, parameters={}),
        replace(SERVED, inputs=SERVED.inputs[:2]),
        replace(SERVED, outputs=(*SERVED.outputs, replace(SERVED.outputs[0], name="gate"))),
        replace(SERVED, outputs=(replace(SERVED.outputs[0], dims=(2,)),)),
        replace(SERVED, max_batch_size=8),
    ],
)
def test_what_this_engine_cannot_ask_is_no_assembly(served):
    assert assembly_of(NAME, SERVED) == Assembly(ModelVersion(NAME, 1), (A1, B2))
    assert assembly_of(NAME, served) is None


def test_an_assembly_is_no_domains_model():
    [problem] = contract_problems(ModelVersion(NAME, 1), SERVED, TOKENIZER)
    assert "an assembly of several models" in problem
