"""Examples are read the same from JSONL and Parquet, and everything that is wrong is said with its place."""

import base64
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.data.datasets import listing_set, message_set
from models.data.examples import ExampleError, data_files, part_file, read_examples
from streams.features.tokens import TextPipeline
from tests.unit.models.labelled import listing, window, write

pytestmark = pytest.mark.train


def parquet(path: Path, rows: list[dict]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_parquet_and_jsonl_give_the_same_features_and_the_same_fingerprint(tmp_path: Path) -> None:
    rows = [
        window("いくらですか", labels={"d": 1}),
        window("LINEで話そう", transaction="t2", labels={"d": 0}),
    ]
    text = TextPipeline()
    sets = [
        message_set(read_examples(path), text)
        for path in (write(tmp_path / "a.jsonl", rows), parquet(tmp_path / "a.parquet", rows))
    ]
    assert sets[0].fingerprint == sets[1].fingerprint
    assert sets[1].labels["d"].tolist() == [1.0, 0.0]
    assert [f.tokens[0].tolist() for f in sets[0].features] == [
        f.tokens[0].tolist() for f in sets[1].features
    ]


def test_a_parquet_listing_may_hold_maps_times_bytes_and_json_texts(tmp_path: Path) -> None:
    schema = pa.schema(
        [
            ("listing", pa.struct([
                ("listing_id", pa.string()), ("seller_id", pa.string()), ("title", pa.string()),
                ("updated_at", pa.timestamp("ms", "UTC")),
                ("attributes", pa.map_(pa.string(), pa.float64())),
                ("images", pa.list_(pa.struct([("data", pa.binary())]))),
                ("price", pa.float64()),
            ])),
            ("labels", pa.string()),
        ]
    )  # fmt: skip
    row = {
        "listing": {
            "listing_id": "l", "seller_id": "s", "title": "bag", "updated_at": 1_700_000_000_000,
            "attributes": [("year", 2001.0)], "images": [{"data": b"\x89PNG"}], "price": None,
        },
        "labels": json.dumps({"d": 1}),
    }  # fmt: skip
    pq.write_table(pa.Table.from_pylist([row], schema), tmp_path / "x.parquet")
    (found,) = read_examples(tmp_path / "x.parquet")
    assert found["labels"] == {"d": 1}
    assert found["listing"]["attributes"] == {"year": 2001.0}
    assert found["listing"]["updated_at"].startswith("2023-11-14T22:13:20")
    assert base64.b64decode(found["listing"]["images"][0]["data"]) == b"\x89PNG"
    assert "price" not in found["listing"]
    assert listing_set([found], TextPipeline(), lambda _: None).labels["d"].tolist() == [1.0]


def test_broken_parquet_is_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(ExampleError, match=r"x\.parquet: not a Parquet file"):
        list(read_examples(tmp_path / "x.parquet"))
    parquet(tmp_path / "y.parquet", [{"labels": "{}"}, {"labels": "{"}])
    with pytest.raises(ExampleError, match=r'y\.parquet:row 2: the text in column "labels" is not JSON'):
        list(read_examples(tmp_path / "y.parquet"))


def test_errors_of_features_name_the_line(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl",
        [window("a"), {"labels": {"d": 0}, "messages": [{"writer": "bot", "text": "x"}]}],
    )
    with pytest.raises(ExampleError, match=r"a\.jsonl:2: not a window"):
        message_set(read_examples(path), TextPipeline())
    path = write(tmp_path / "b.jsonl", [listing("a"), listing("b", image="lost.jpg")])

    def embed(example: object) -> None:
        if example["listing"].get("image"):  # type: ignore[index]
            raise ExampleError("no such picture")

    with pytest.raises(ExampleError, match=r"b\.jsonl:2: no such picture"):
        listing_set(read_examples(path), TextPipeline(), embed)


def test_a_directory_holds_parts_or_one_file_and_never_both(tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match=r"no train\.jsonl or train\.parquet"):
        data_files(tmp_path)
    write(tmp_path / "train.jsonl", [])
    with pytest.raises(ExampleError, match=r"no valid\.jsonl"):
        data_files(tmp_path)
    write(tmp_path / "valid.jsonl", [])
    assert data_files(tmp_path) == {"train": tmp_path / "train.jsonl", "valid": tmp_path / "valid.jsonl"}
    write(tmp_path / "test.jsonl", [])
    assert list(data_files(tmp_path)) == ["train", "valid", "test"]
    write(tmp_path / "examples.jsonl", [])
    with pytest.raises(ExampleError, match="keep one"):
        data_files(tmp_path)
    whole = write(tmp_path / "whole" / "examples.jsonl", [])
    assert data_files(tmp_path / "whole") == whole


def test_two_files_of_one_part_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", [])
    parquet(tmp_path / "train.parquet", [{"labels": "{}"}])
    with pytest.raises(ExampleError, match=r"both train\.jsonl and train\.parquet"):
        part_file(tmp_path, "train")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (gzip.compress(b"{}", mtime=0), "packed with gzip: unpack it"),
        ('{"a": 1}'.encode("utf-16"), ""),
        ('{"a": 1}\n'.encode("utf-16"), "UTF-16: save it as UTF-8"),
        (b"[\n{}\n]\n", "one JSON array: write one object a line"),
        (b'{"a": "\xf6"}\n', "save the file as UTF-8"),
        (b'[{"a": 1}]\n', "a JSON list, not an object; each line is one example"),
        (b'\xef\xbb\xbf{"a": 1}\r\n', ""),
    ],
)
def test_files_of_other_kinds_are_told_apart(tmp_path: Path, body: bytes, said: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(body)
    if not said:
        assert [dict(one) for one in read_examples(path)] == [{"a": 1}]
        return
    with pytest.raises(ExampleError, match=rf"train\.jsonl:1: .*{said}"):
        list(read_examples(path))


def test_a_directory_without_parts_says_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match=r"no train\.jsonl or train\.parquet .*; the directory is empty$"):
        data_files(tmp_path)
    for number in range(7):
        (tmp_path / f"train{number}.jsonl.gz").touch()
    with pytest.raises(ExampleError, match=r"; there: train0\.jsonl\.gz, .*train4\.jsonl\.gz, \.\.\.$"):
        data_files(tmp_path)
