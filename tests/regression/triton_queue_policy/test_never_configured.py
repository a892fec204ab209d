"""A queue policy, priorities or a server-side timeout turn prefetching off in Triton's batcher, which then sleeps
up to 500 ms over waiting requests: p99 went from 35 to 540 ms and throughput to a fifth."""

from __future__ import annotations

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from streams.inference.contracts import VersionFacts, config_pbtxt


@pytest.mark.parametrize("model", ["message_x", "listing_x", "image_encoder"])
def test_no_configuration_has_one(model):
    facts = VersionFacts(None if model == "image_encoder" else "t/1")
    text = config_pbtxt(model, {1: facts}, instances=2, queue_delay_us=500)
    batching = text_format.Parse(text, model_config_pb2.ModelConfig()).dynamic_batching
    assert [descriptor.name for descriptor, _ in batching.ListFields()] == ["max_queue_delay_microseconds"]
