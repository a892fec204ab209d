"""An export's folder: `messages/` and `listings/` in the training shape, and `labels.json`; whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from models.labels.examples import Example
from models.labels.joining import Kind
from models.labels.parts import Parts

Format = Literal["jsonl", "parquet"]
#: What a folder of an export holds; names that `sekisho train` knows from generated data.
FOLDERS: Final[Mapping[Kind, str]] = {"message": "messages", "listing": "listings"}
MANIFEST_FILE: Final = "labels.json"
#: Rows of a Parquet file that are compressed together.
_ROW_GROUP: Final = 5_000


class FolderInUse(ValueError):
    """The folder holds something that is not an export, or an export that must not be replaced."""


def check_folder(directory: Path, *, replace: bool) -> None:
    """See that an export may be written there. Raises `FolderInUse`, saying what to do."""
    if not directory.exists():
        return
    if not directory.is_dir():
        raise FolderInUse(f"{directory} is a file; give a folder")
    there = {path.name for path in directory.iterdir()}
    if not there:
        return
    strangers = there - {MANIFEST_FILE, *FOLDERS.values()}
    if strangers or MANIFEST_FILE not in there:
        raise FolderInUse(
            f"{directory} holds what no export has written ({', '.join(sorted(strangers or there)[:3])}); give another folder"
        )
    if not replace:
        raise FolderInUse(
            f"{directory} holds an export already; give another folder, or --force to replace it"
        )


def write_export(
    directory: Path, parts: Mapping[Kind, Parts], manifest: Mapping[str, Any], form: Format
) -> dict[str, str]:
    """Write everything beside the folder and rename it into place; the SHA-256 of each file by its relative name.

    A command that is killed leaves the folder as it was. Raises OSError.
    """
    beside = directory.with_name(f".{directory.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    digests: dict[str, str] = {}
    for kind, by_part in parts.items():
        (beside / FOLDERS[kind]).mkdir()
        for part, examples in by_part.items():
            path = beside / FOLDERS[kind] / f"{part}.{form}"
            _write(path, kind, examples, form)
            with path.open("rb") as file:
                digests[str(path.relative_to(beside))] = hashlib.file_digest(file, "sha256").hexdigest()
    body = json.dumps({**manifest, "files": digests}, ensure_ascii=False, indent=1)
    (beside / MANIFEST_FILE).write_text(body + "\n", encoding="utf-8")
    if directory.exists():
        shutil.rmtree(directory)
    beside.rename(directory)
    return digests


def _write(path: Path, kind: Kind, examples: Sequence[Example], form: Format) -> None:
    if form == "parquet":
        _write_parquet(path, kind, examples)
        return
    with path.open("w", encoding="utf-8") as file:
        for example in examples:
            file.write(json.dumps(example, ensure_ascii=False) + "\n")


def _write_parquet(path: Path, kind: Kind, examples: Sequence[Example]) -> None:
    """Typed columns; a listing is JSON as text, since attributes of mixed types have no Parquet type."""
    import pyarrow
    import pyarrow.parquet

    text = pyarrow.string()
    turn = [("message_id", text), ("writer", text), ("text", text), ("sent_at", text)]
    window = [("transaction_id", text), ("status", text), ("messages", pyarrow.list_(pyarrow.struct(turn)))]
    schema = pyarrow.schema(
        [
            *(window if kind == "message" else [("listing", text)]),
            ("labels", pyarrow.map_(text, pyarrow.int8())),
            ("label_sources", pyarrow.map_(text, text)),
            ("hard", pyarrow.bool_()),
            ("contradicted", pyarrow.list_(text)),
            ("weight", pyarrow.float64()),
            ("scores", pyarrow.map_(text, pyarrow.float64())),
            ("content", text),
            ("policy", text),
        ]
    )
    rows = [_row(example) for example in examples]
    table = pyarrow.Table.from_pylist(rows, schema=schema)
    pyarrow.parquet.write_table(table, path, compression="zstd", row_group_size=_ROW_GROUP)


def _row(example: Example) -> dict[str, Any]:
    row = dict(example)
    if "listing" in row:
        row["listing"] = json.dumps(row["listing"], ensure_ascii=False)
    for name in ("labels", "label_sources", "scores"):
        row[name] = list(row[name].items())
    return row
