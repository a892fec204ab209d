"""The in-process loop says what Sekisho's own functions say, however many messages it takes at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.end_to_end.answers import answers_of, differences, missing
from benchmarks.end_to_end.in_process import run, share_of
from benchmarks.end_to_end.moderation import Answer, Moderation, arrive, last_five
from benchmarks.end_to_end.onnx_models import OnnxModels
from benchmarks.end_to_end.workload import Record, message_domains, messages, write_rules
from streams.rule_engine.rule import Match, Rule
from streams.windows import Turn, admit

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def moderation(tmp_path_factory: pytest.TempPathFactory) -> Moderation:
    directory = tmp_path_factory.mktemp("moderation") / "rules"
    rule = Rule("made.r0", "made", "harassment", "message", "low", Match(any=("発送",)), mode="active")
    write_rules(directory, [rule], message_domains(ROOT / "rules" / "domains.yaml"))
    return Moderation(directory)


def said(answers: list[Answer]) -> tuple[list[bytes], list[bytes]]:
    return [each.prediction for each in answers], [alert for each in answers for _, alert in each.alerts]


def test_batches_of_other_sizes_give_the_same_answers(moderation: Moderation) -> None:
    records = messages(150, seed=9)
    models = OnnxModels(ROOT / "triton_repo", moderation.models)
    one_by_one, timing = run(records, moderation, models, rows=1)
    together, _ = run(records, moderation, models, rows=64)
    assert timing.messages == 149
    expected, found = answers_of(*said(one_by_one)), answers_of(*said(together))
    assert missing(expected, found) == 0
    assert differences(expected, found) == []
    assert len(expected.verdicts) == 150
    assert all(len(verdict.scores) == 3 for verdict in expected.verdicts.values())
    assert 0 < expected.alerted < 150
    assert {rule for verdict in expected.verdicts.values() for rule in verdict.rules} == {"made.r0"}


def test_the_naive_window_is_the_engines_where_messages_come_once_and_in_order(
    moderation: Moderation,
) -> None:
    kept: dict[str, tuple[Turn, ...]] = {}
    naive: dict[str, tuple[Turn, ...]] = {}
    for offset, record in enumerate(messages(1_000, seed=9)):
        arrived = arrive("messages", 0, offset, timestamp_us=2 * 10**15, key=record.key, value=record.value)
        name = arrived.conversation
        kept[name], window = admit(kept.get(name, ()), arrived.turn, committed=offset)
        naive[name] = last_five(naive.get(name, ()), arrived.turn)
        assert naive[name] == window
    assert max(map(len, naive.values())) == 5


def test_conversations_are_shared_out_whole() -> None:
    records = [Record(b"t%d" % (number % 40), b"%d" % number) for number in range(100)]
    shares = [share_of(records, number, 3) for number in (1, 2, 3)]
    assert sorted(r.value for share in shares for r in share) == sorted(r.value for r in records)
    assert all(shares)
    keys = [{record.key for record in share} for share in shares]
    assert sum(map(len, keys)) == len(set.union(*keys)) == 40
