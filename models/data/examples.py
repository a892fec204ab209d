"""Reads labelled examples from JSONL and Parquet files, each knowing the line or row it stands in."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal

Example = Mapping[str, Any]
Kind = Literal["message", "listing"]
Part = Literal["train", "valid", "test"]
PARTS: Final[tuple[Part, ...]] = ("train", "valid", "test")
_SUFFIXES: Final = (".jsonl", ".parquet")
#: Rows of a Parquet file that are turned into objects at a time; with pictures inside, 256 are some 10 MB.
_ROWS_AT_ONCE: Final = 256
#: Files that a message names.
_NAMED: Final = 5


class ExampleError(ValueError):
    """An example that is not of the contract's shape, or a file without any; says where and why."""


class ReadExample(dict[str, Any]):
    """An example with the place it was read from: `train.jsonl:17`, `train.parquet:row 17`, both from 1."""

    def __init__(self, fields: Mapping[str, Any], place: str) -> None:
        super().__init__(fields)
        self.place = place


def place_of(example: Example, number: int) -> str:
    """Where an example stands: its file and line where it was read from one, else its number."""
    return example.place if isinstance(example, ReadExample) else f"example {number}"


def checked_labels(example: Example, place: str) -> Mapping[str, float | None]:
    """The example's labels. Raises `ExampleError` unless they map domains to 0, 1 or null."""
    labels = example.get("labels")
    if not isinstance(labels, Mapping) or any(value not in (0, 1, None) for value in labels.values()):
        raise ExampleError(f'{place}: "labels" must map domains to 0, 1 or null, not {labels!r}')
    return labels


def checked_weight(example: Example, place: str) -> float:
    """Of how many events the example stands for, 1 where it does not say. Raises `ExampleError` unless above 0."""
    weight = example.get("weight")
    if weight is None:
        return 1.0
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        raise ExampleError(f'{place}: "weight" must be a number above 0, not {weight!r}')
    return float(weight)


def part_file(directory: Path, name: str) -> Path | None:
    """`<directory>/<name>.jsonl` or `.parquet`; None where there is neither. Raises ExampleError where both are."""
    found = [path for suffix in _SUFFIXES if (path := directory / f"{name}{suffix}").is_file()]
    if len(found) > 1:
        raise ExampleError(
            f"{directory}: both {found[0].name} and {found[1].name}; remove the one that is not meant"
        )
    return found[0] if found else None


def data_files(directory: Path) -> dict[Part, Path] | Path:
    """The files of a data directory by part, or the one file `examples.*` that is to be split.

    Raises ExampleError where a part is missing that training needs, or both layouts are mixed.
    """
    parts = {part: path for part in PARTS if (path := part_file(directory, part)) is not None}
    whole = part_file(directory, "examples")
    if whole is not None and parts:
        raise ExampleError(
            f"{directory}: {whole.name} is split by time, but {next(iter(parts.values())).name} is there too; keep one"
        )
    if whole is not None:
        return whole
    for part in ("train", "valid"):
        if part not in parts:
            raise ExampleError(
                f"{directory}: no {part}.jsonl or {part}.parquet (and no examples.jsonl or examples.parquet, which "
                f"would be split by time){_beside(directory)}"
            )
    return parts


def _beside(directory: Path) -> str:
    """What is there instead: files of another format, or packed."""
    there = sorted(path.name for path in directory.iterdir() if path.is_file())
    more = ", ..." if len(there) > _NAMED else ""
    return f"; there: {', '.join(there[:_NAMED])}{more}" if there else "; the directory is empty"


def read_examples(path: Path) -> Iterator[ReadExample]:
    """The examples of a .jsonl or .parquet file. Raises `ExampleError` with file and line for what is not an object."""
    return _read_parquet(path) if path.suffix == ".parquet" else _read_lines(path)


def _read_lines(path: Path) -> Iterator[ReadExample]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            place = f"{path}:{number}"
            try:
                example = json.loads(line)
            except ValueError as error:
                raise ExampleError(f"{place}: not JSON: {error}{_likely(line)}") from error
            if not isinstance(example, dict):
                raise ExampleError(
                    f"{place}: a JSON {type(example).__name__}, not an object; each line is one example"
                )
            yield ReadExample(example, place)


def _likely(line: bytes) -> str:
    """What a line that is not JSON most likely is."""
    if line.startswith(b"\x1f\x8b"):
        return " (the file is packed with gzip: unpack it)"
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        return " (the file is UTF-16: save it as UTF-8)"
    if line.strip() == b"[":
        return " (the file is one JSON array: write one object a line)"
    try:
        line.decode()
    except UnicodeDecodeError:
        return " (save the file as UTF-8)"
    return ""


def _read_parquet(path: Path) -> Iterator[ReadExample]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                for row in batch.to_pylist(maps_as_pydicts="strict"):
                    number += 1
                    place = f"{path}:row {number}"
                    yield ReadExample(
                        {name: _parsed(name, value, place) for name, value in _plain(row).items()}, place
                    )
    except pyarrow.ArrowException as error:
        raise ExampleError(f"{path}: not a Parquet file that can be read: {error}") from error


def _parsed(name: str, value: Any, place: str) -> Any:  # noqa: ANN401 - a JSON value
    """Attributes of mixed types have no Parquet type, so these columns may hold JSON as text instead."""
    if name not in {"listing", "labels", "messages"} or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ExampleError(f'{place}: the text in column "{name}" is not JSON: {error}') from error


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever Arrow makes of a cell
    """As JSON would hold it. A struct's null fields are left out: Parquet cannot say that a field is absent."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items() if entry is not None}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
