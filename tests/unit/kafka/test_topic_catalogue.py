from __future__ import annotations

import pytest

from streams.kafka.dead_letters import MAX_DETAIL_CHARACTERS
from streams.kafka.limits import largest_input_bytes, largest_message_bytes
from streams.kafka.topics import (
    INPUTS,
    Difference,
    Found,
    TopicSpec,
    alerts_topic,
    catalogue,
    compare,
    windows_changelog,
)
from streams.settings import Settings

DAY_MS = 86_400_000
SETTINGS = Settings(topic_prefix="prod.", partitions=12, replication_factor=3, group="watch")


def test_every_topic_of_the_contract_has_the_prefix_and_the_same_partitions() -> None:
    specs = catalogue(SETTINGS, ["harassment", "counterfeit", "harassment"])

    assert [spec.name for spec in specs] == [
        "prod.listings",
        "prod.messages",
        "prod.reports",
        "prod.decisions",
        "prod.alerts.counterfeit",
        "prod.alerts.harassment",
        "prod.alerts.patrol",
        "prod.predictions",
        "prod.rescore",
        "prod.deadletter",
        "prod.alerted",
        "prod.statistics",
        "prod.thresholds",
        "prod.watch-windows-changelog",
    ]
    assert {(spec.partitions, spec.replication_factor) for spec in specs} == {(12, 3)}
    assert {spec.name for spec in specs} >= {SETTINGS.topic(name) for name in INPUTS}
    assert alerts_topic(SETTINGS, "harassment") == "prod.alerts.harassment"


def test_a_record_above_the_screened_limit_arrives_and_fits_the_dead_letters() -> None:
    limits = {
        spec.role: int(spec.config["max.message.bytes"]) for spec in catalogue(SETTINGS, ["counterfeit"])
    }

    inputs = {limits.pop(name) for name in INPUTS}
    assert inputs == {largest_input_bytes(SETTINGS)} == {2 * SETTINGS.max_record_bytes}
    # its headers: a detail of four-byte characters, a topic's name of the longest, ten smaller ones
    assert set(limits.values()) == {largest_message_bytes(SETTINGS)}
    assert (
        largest_message_bytes(SETTINGS) - largest_input_bytes(SETTINGS)
        > 4 * MAX_DETAIL_CHARACTERS + 249 + 10 * 64
    )


def test_what_is_read_whole_is_compacted_and_nothing_else() -> None:
    policies = {spec.name: spec.config["cleanup.policy"] for spec in catalogue(SETTINGS, ["counterfeit"])}

    assert policies.pop(windows_changelog(SETTINGS)) == "compact"
    assert policies.pop("prod.alerted") == "compact,delete"
    assert policies.pop("prod.statistics") == "compact,delete"
    assert policies.pop("prod.thresholds") == "compact"
    assert set(policies.values()) == {"delete"}


def test_retention_follows_what_the_records_are_for() -> None:
    kept = {
        spec.role: int(spec.config.get("retention.ms", 0)) for spec in catalogue(SETTINGS, ["counterfeit"])
    }

    assert (
        kept["decisions"] > kept["predictions"] > kept["alerts.counterfeit"] > kept["messages"] == 7 * DAY_MS
    )
    assert kept["rescore"] == 2 * DAY_MS


def test_rescore_outlives_the_wait_for_models() -> None:
    patient = Settings(rescore_max_age_s=10 * 86_400.0)

    (spec,) = [spec for spec in catalogue(patient, ()) if spec.role == "rescore"]

    assert int(spec.config["retention.ms"]) == 20 * DAY_MS


@pytest.mark.parametrize(("replicas", "in_sync"), [(1, None), (2, None), (3, "2"), (5, "4")])
def test_acks_of_all_mean_more_than_one_replica(replicas: int, in_sync: str | None) -> None:
    specs = catalogue(Settings(replication_factor=replicas), ())

    assert {spec.config.get("min.insync.replicas") for spec in specs} == {in_sync}


SPEC = TopicSpec("messages", "messages", 8, 3, {"retention.ms": "100", "cleanup.policy": "delete"})


@pytest.mark.parametrize(
    ("found", "differences"),
    [
        (None, [Difference("messages", "topic", "exists", "missing")]),
        (Found(8, 3, {"retention.ms": "100", "cleanup.policy": "delete", "other": "1"}), []),
        (Found(8, 5, dict(SPEC.config)), []),
        (Found(4, 3, dict(SPEC.config)), [Difference("messages", "partitions", "8", "4")]),
        (Found(8, 1, dict(SPEC.config)), [Difference("messages", "replication factor", "3", "1")]),
        (Found(8, 3, None), [Difference("messages", "configuration", "readable", "not told", unknown=True)]),
        (
            Found(8, 3, {"retention.ms": "5"}),
            [
                Difference("messages", "retention.ms", "100", "5"),
                Difference("messages", "cleanup.policy", "delete", "not told", unknown=True),
            ],
        ),
    ],
)
def test_compare_names_each_difference(found: Found | None, differences: list[Difference]) -> None:
    assert compare(SPEC, found) == differences
