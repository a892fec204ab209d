"""Labelled examples in the two JSON shapes, turned into model inputs by the very functions that serving uses."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from streams.events import Listing
from streams.features.listing import listing_features
from streams.features.tensors import WINDOW, WRITER_CODES, ListingFeatures, WindowFeatures, status_code
from streams.features.tokens import TextPipeline

Example = Mapping[str, Any]
Labels = dict[str, npt.NDArray[np.float32]]
#: A listing's picture (its example, for the place of the file) to features float32 [1280], or None without one.
Embed = Callable[[Example], npt.NDArray[np.float32] | None]


class ExampleError(ValueError):
    """An example that is not of the contract's shape; says which one and why."""


@dataclass(frozen=True, slots=True)
class MessageSet:
    """Windows with their labels by domain, float32 [N]: 0, 1, or NaN where nobody knows."""

    features: tuple[WindowFeatures, ...]
    labels: Labels
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ListingSet:
    """Listings with their labels by domain, float32 [N]: 0, 1, or NaN where nobody knows."""

    features: tuple[ListingFeatures, ...]
    labels: Labels
    fingerprint: str


def downsampled(found: MessageSet, domain: str, negatives_per_positive: float, seed: int) -> MessageSet:
    """All of a domain's positives and a random choice of its negatives, in their order; unlabelled ones are left out.

    The fingerprint stays that of the whole set, since it and the seed say what was chosen.
    """
    labels = found.labels[domain]
    positives, negatives = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    wanted = min(len(negatives), math.ceil(len(positives) * negatives_per_positive))
    kept = np.random.default_rng(seed).choice(negatives, wanted, replace=False)
    order = np.sort(np.concatenate([positives, kept]))
    return MessageSet(tuple(found.features[i] for i in order), {domain: labels[order]}, found.fingerprint)


def read_examples(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file. Raises `ExampleError` with file and line for what is not a JSON object."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                example = json.loads(line)
            except ValueError as error:
                raise ExampleError(f"{path}:{number}: not JSON: {error}") from error
            if not isinstance(example, dict):
                raise ExampleError(f"{path}:{number}: a JSON {type(example).__name__}, not an object")
            yield example


def message_set(examples: Iterable[Example], text: TextPipeline) -> MessageSet:
    """Features of `{"transaction_id", "status", "messages", "labels"}`; of longer conversations the last five count.

    Raises `ExampleError` naming the example's place in the order.
    """
    prepared: dict[str, npt.NDArray[np.int64]] = {}
    features: list[WindowFeatures] = []
    gathered = _Gathered()
    for number, example in enumerate(examples, start=1):
        gathered.add(example, number)
        try:
            window = example["messages"][-WINDOW:]
            for message in window:
                if message["text"] not in prepared:  # successive windows share four of five texts
                    prepared[message["text"]] = text.prepare(message["text"]).tokens
            features.append(
                WindowFeatures(
                    tuple(prepared[message["text"]] for message in window),
                    tuple(WRITER_CODES[message["writer"]] for message in window),
                    status_code(example.get("status")),
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ExampleError(f"example {number}: not a window of messages: {error!r}") from error
    return MessageSet(tuple(features), gathered.labels(), gathered.fingerprint())


def listing_set(examples: Iterable[Example], text: TextPipeline, embed: Embed) -> ListingSet:
    """Features of `{"listing", "labels"}`. Raises `ExampleError` naming the example's place in the order."""
    features: list[ListingFeatures] = []
    gathered = _Gathered()
    for number, example in enumerate(examples, start=1):
        gathered.add(example, number)
        try:
            listing = msgspec.convert(_of_the_contract(example["listing"]), Listing)
        except (KeyError, TypeError, msgspec.ValidationError) as error:
            raise ExampleError(f"example {number}: not a listing: {error}") from error
        features.append(
            listing_features(
                listing,
                title=text.prepare(listing.title),
                description=text.prepare(listing.description),
                image=embed(example),
            )
        )
    return ListingSet(tuple(features), gathered.labels(), gathered.fingerprint())


def _of_the_contract(listing: Mapping[str, Any]) -> dict[str, Any]:
    """Example files may hold null for what is not known, where a producer leaves the field out."""
    known = {name: value for name, value in listing.items() if value is not None}
    attributes = known.get("attributes")
    if isinstance(attributes, Mapping):
        known["attributes"] = {name: value for name, value in attributes.items() if value is not None}
    if "image" in known and "images" not in known:  # a picture counts in the auxiliary values, file or not
        known["images"] = [{"path": known["image"]}]
    return known


class _Gathered:
    """Labels and the fingerprint of examples as they pass by."""

    def __init__(self) -> None:
        self._labels: list[Mapping[str, float | None]] = []
        self._digest = hashlib.sha256()

    def add(self, example: Example, number: int) -> None:
        labels = example.get("labels")
        if not isinstance(labels, Mapping) or any(value not in (0, 1, None) for value in labels.values()):
            raise ExampleError(f'example {number}: "labels" must map domains to 0, 1 or null, not {labels!r}')
        self._labels.append(labels)
        self._digest.update(
            json.dumps(example, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
        )

    def labels(self) -> Labels:
        domains: Sequence[str] = sorted({domain for labels in self._labels for domain in labels})
        return {
            domain: np.array([_number(labels.get(domain)) for labels in self._labels], np.float32)
            for domain in domains
        }

    def fingerprint(self) -> str:
        return "sha256:" + self._digest.hexdigest()


def _number(label: float | None) -> float:
    return float("nan") if label is None else float(label)
