"""The folder: what training takes as it is, in both formats, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.data.datasets import listing_set
from models.data.examples import ExampleError, read_examples
from models.data.splits import Split
from models.labels.collecting import Collector
from models.labels.examples import Masking
from models.labels.export import Export, make
from models.labels.reading import Read
from models.labels.reviewing import Reviews
from models.labels.telling import as_text, warnings
from models.labels.writing import FolderInUse, check_folder
from models.manifests import parse
from models.runs.preparing import lost_pictures, prepare, survey
from streams.features.tokens import TextPipeline
from tests.unit.models.labels.history import (
    Record,
    decision,
    identity,
    listing_identity,
    listing_prediction,
    prediction,
    rule,
    score,
)
from tests.unit.models.labels.test_collecting import WANTED

pytestmark = pytest.mark.train

HOW = Export(
    since_us=0,
    until_us=1_793_491_200_000_000,
    made_at=datetime(2026, 11, 21, tzinfo=UTC),
    split=Split(0.25, 0.25),
    form="jsonl",
)
MANIFEST = (
    b"name: message_harassment\nkind: message\nsystem: kimcnn_bigru\ndomain: harassment\ndata: messages\n"
)


def history() -> tuple[list[bytes], list[Record]]:
    """Forty conversations: every fourth a violation, every fourth a false alarm, the others quiet; six listings."""
    predictions, decisions = [], []
    for n in range(40):
        text = ("バカじゃないの", "バカ売れですね", "こんにちは", "発送しました")[n % 4] + str(n)
        transaction = f"t{n:02d}"
        scores = [score("harassment", 0.95 if n % 4 < 2 else 0.1)]
        predictions.append(
            prediction(
                text,
                transaction=transaction,
                hours=n,
                offset=n,
                scores=scores,
                before=["電話は090-1234-5678です"],
            )
        )
        if n % 4 < 2:
            verdict = "violation" if n % 4 == 0 else "no_violation"
            alert = identity(text, "harassment", transaction=transaction)
            decisions.append(decision(alert, verdict, hours=n + 1))
    for n in range(6):
        title = f"コピー品{n}"
        predictions.append(
            listing_prediction(title, listing=f"l{n}", hours=n, images=2, attributes={"size": 3.0})
        )
        verdict = "violation" if n % 2 else "no_violation"
        decisions.append(
            decision(
                listing_identity(title, "counterfeit", listing=f"l{n}", attributes={"size": 3.0}), verdict
            )
        )
    return predictions, decisions


def read_of(predictions: list[bytes], decisions: list[Record]) -> Read:
    reviews = Reviews()
    reviews.take_decisions(decisions)
    collector = Collector(reviews.so_far(), WANTED)
    for value in predictions:
        collector.add(value)
    return Read(collector, reviews, {0: (3, 3 + len(predictions))})


def exported(directory: Path, how: Export = HOW) -> dict:
    return make(directory, read_of(*history()), WANTED, how)


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_training_takes_the_folder_as_it_is(tmp_path: Path, form) -> None:
    manifest = exported(tmp_path / "out", replace(HOW, form=form))
    assert sorted(manifest["files"]) == [
        f"{folder}/{part}.{form}"
        for folder in ("listings", "messages")
        for part in ("test", "train", "valid")
    ]
    surveyed = survey(parse(MANIFEST, "m.yaml"), tmp_path / "out", strict=True)
    assert surveyed.leakage.lines() == []
    parts = surveyed.record()["parts"]
    assert parts["train"]["positives"] + parts["valid"]["positives"] + parts["test"]["positives"] == 10
    assert sum(part["hard_negatives"] for part in parts.values()) == 10
    assert sum(part["easy_negatives"] for part in parts.values()) == 20
    prepared = prepare(surveyed, lambda _example: None)
    weights = prepared.whole["test"].weights
    assert weights is None or set(weights.tolist()) == {1.0}  # twenty quiet events, all of them taken


def test_both_formats_hold_the_same(tmp_path: Path) -> None:
    for form in ("jsonl", "parquet"):
        exported(tmp_path / form, replace(HOW, form=form))
    for folder in ("messages", "listings"):
        for part in ("train", "valid", "test"):
            lines = [dict(one) for one in read_examples(tmp_path / "jsonl" / folder / f"{part}.jsonl")]
            rows = [dict(one) for one in read_examples(tmp_path / "parquet" / folder / f"{part}.parquet")]
            for line in lines:  # Parquet cannot tell null from absent
                line["labels"] = {name: value for name, value in line["labels"].items() if value is not None}
            assert rows == lines


def test_examples_are_masked_and_say_where_their_labels_come_from(tmp_path: Path) -> None:
    manifest = exported(tmp_path / "out")
    examples = [one for path in (tmp_path / "out/messages").iterdir() for one in read_examples(path)]
    assert all(one["messages"][0]["text"] == "電話は〈PHONE〉です" for one in examples)
    assert manifest["masked_again"]["changed"] == len(examples)
    sources = [one["label_sources"].get("harassment") for one in examples]
    assert (sources.count("alert"), sources.count("unflagged")) == (20, 20)
    assert all(
        one["scores"] == {"message_harassment/1": one["scores"]["message_harassment/1"]} for one in examples
    )
    assert json.loads((tmp_path / "out/labels.json").read_text()) == manifest


def test_masking_leaves_masked_texts_alone() -> None:
    masked = Masking(TextPipeline())
    for text in ("電話は〈PHONE〉です", "口座 普通 〈ACCOUNT〉 〈NAME〉", "あ" * 3000):
        once = masked(text)
        assert masked(once) == once


def test_listings_tell_how_many_pictures_there_were_and_hold_none(tmp_path: Path) -> None:
    exported(tmp_path / "out")
    found = listing_set(
        read_examples(tmp_path / "out/listings/train.jsonl"), TextPipeline(), lambda _one: None
    )
    from streams.features.auxiliary import AUX_NAMES

    column = AUX_NAMES.index("images")
    assert all(
        row.image is None and row.aux[column] == pytest.approx(1.0986, abs=1e-4) for row in found.features
    )


def test_nothing_judged_writes_nothing(tmp_path: Path) -> None:
    predictions, _ = history()
    manifest = make(tmp_path / "out", read_of(predictions, []), WANTED, HOW)
    assert "files" not in manifest
    assert not (tmp_path / "out").exists()
    assert "nothing was written" in as_text(manifest)


def test_too_little_to_be_cut_by_time_is_refused_with_the_reason(tmp_path: Path) -> None:
    predictions, decisions = history()
    with pytest.raises(ExampleError, match="too few") as refused:
        make(tmp_path / "out", read_of(predictions[:2], decisions), WANTED, HOW)
    assert str(refused.value).startswith("messages: "), "the kind"
    assert "read from earlier on with --since" in str(refused.value), "a way out"
    assert not (tmp_path / "out").exists()


def test_a_few_judged_listings_do_not_keep_messages_from_being_exported(tmp_path: Path) -> None:
    predictions, decisions = history()
    manifest = make(tmp_path / "out", read_of(predictions[:41], decisions), WANTED, HOW)  # one listing
    assert {name.split("/")[0] for name in manifest["files"]} == {"messages"}
    assert manifest["kinds"]["messages"]["not_cut"] is None
    assert "too few" in manifest["kinds"]["listings"]["not_cut"]
    (note,) = [sentence for sentence in warnings(manifest) if "left out" in sentence]
    assert note.startswith("listings are left out: ")
    assert "--since" in note
    assert "nothing was written" not in as_text(manifest)


def test_what_is_said_of_an_export(tmp_path: Path) -> None:
    predictions, decisions = history()
    predictions.append(
        prediction(
            "LINEで", transaction="t90", hours=50, offset=90, rules=[rule("contact_exchange")], scores=[]
        )
    )
    decisions.append(decision("an alert of last year", "violation"))
    manifest = make(tmp_path / "out", read_of(predictions, decisions), WANTED, HOW)
    said = as_text(manifest) + "\n\n" + "\n".join(warnings(manifest)) + "\n"
    approved = Path(__file__).with_name("test_export.approved.txt")
    received = approved.with_name("test_export.received.txt")
    if said != approved.read_text(encoding="utf-8"):
        received.write_text(said, encoding="utf-8")
    assert said == approved.read_text(encoding="utf-8")


def test_an_export_replaces_only_an_export_and_only_when_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    check_folder(out, replace=False)
    exported(out)
    with pytest.raises(FolderInUse, match="--force"):
        check_folder(out, replace=False)
    check_folder(out, replace=True)
    (out / "messages" / "train.jsonl").write_text("")
    exported(out)
    assert (out / "messages" / "train.jsonl").stat().st_size > 0
    (out / "thesis.doc").write_text("")
    with pytest.raises(FolderInUse, match=r"thesis\.doc"):
        check_folder(out, replace=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderInUse, match="is a file"):
        check_folder(tmp_path / "file", replace=True)


def test_training_says_that_the_pictures_of_listings_are_lost(tmp_path: Path) -> None:
    exported(tmp_path / "out")
    training = listing_set(
        read_examples(tmp_path / "out/listings/train.jsonl"), TextPipeline(), lambda _one: None
    )
    text = "name: listing_counterfeit\nkind: listing\nsystem: fusion_network\ndomain: counterfeit\ndata: listings\n"
    said = lost_pictures(parse(text.encode(), "m.yaml"), training)
    assert said is not None
    assert "network: {image: false}" in said
    blind = parse(f"{text}network: {{image: false}}\n".encode(), "m.yaml")
    assert lost_pictures(blind, training) is None
