"""Small labelled data for tests: examples written by hand, and directories of generated ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from models.shipped.corpus import PartName, listing_part, message_part

#: Files of a data directory and the generated parts that fill them.
_FILES: Mapping[str, PartName] = {"train": "training", "valid": "selection", "test": "threshold"}


def window(
    text: str,
    *,
    transaction: str = "t1",
    at: str | None = None,
    labels: Mapping[str, Any] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    message = {"message_id": f"{transaction}-0", "writer": "buyer", "text": text}
    if at is not None:
        message["sent_at"] = at
    return {
        "transaction_id": transaction,
        "status": "shipped",
        "messages": [message],
        "labels": {"d": 0} if labels is None else dict(labels),
        **extra,
    }


def listing(title: str, *, identity: str = "l1", seller: str = "s1", **fields: Any) -> dict[str, Any]:
    labels = fields.pop("labels", {"d": 0})
    return {
        "listing": {"listing_id": identity, "seller_id": seller, "title": title, **fields},
        "labels": labels,
    }


def write(path: Path, examples: Iterable[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in examples), encoding="utf-8")
    return path


def message_directory(directory: Path, *, train: int = 240, others: int = 160) -> Path:
    """train, valid and test of generated windows, the domain `harassment` among their labels."""
    for name, part in _FILES.items():
        write(directory / f"{name}.jsonl", islice(_rich(part), train if name == "train" else others))
    return directory


def _rich(part: PartName) -> Iterable[dict[str, Any]]:
    """Every violation of a longer stretch and five others each, so that small parts hold some of every domain."""
    others = 0
    for example in message_part(part, 1, 20_000):
        violates = example["labels"]["harassment"] == 1
        if violates or others > 0:
            yield example
            others = 4 if violates else others - 1


def listing_directory(directory: Path, *, train: int = 90, others: int = 60) -> Path:
    """The same of generated listings, pictures inside; the domains are `counterfeit` and `prohibited_goods`."""
    for name, part in _FILES.items():
        rich: PartName = "selection" if name == "test" else part
        examples = list(listing_part(rich, 2 if name == "test" else 1, train if name == "train" else others))
        write(directory / f"{name}.jsonl", examples)
    return directory
