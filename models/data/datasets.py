"""Labelled examples in the two JSON shapes, turned into model inputs by the very functions that serving uses."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from models.data.examples import (
    Example,
    ExampleError,
    checked_labels,
    checked_weight,
    place_of,
    read_examples,
)
from streams.events import Listing
from streams.features.listing import listing_features
from streams.features.tensors import WINDOW, WRITER_CODES, ListingFeatures, WindowFeatures, status_code
from streams.features.tokens import TextPipeline

__all__ = [
    "Embed",
    "Example",
    "ExampleError",
    "ListingSet",
    "MessageSet",
    "chosen",
    "contract_listing",
    "downsampled",
    "listing_set",
    "message_set",
    "read_examples",
]

Labels = dict[str, npt.NDArray[np.float32]]
#: A listing's picture (its example, for the place of the file) to features float32 [1280], or None without one.
Embed = Callable[[Example], npt.NDArray[np.float32] | None]


@dataclass(frozen=True, slots=True)
class MessageSet:
    """Windows with their labels by domain, float32 [N]: 0, 1, or NaN where nobody knows.

    `weights` float32 [N]: of how many events each example stands for; None where each stands for itself.
    """

    features: tuple[WindowFeatures, ...]
    labels: Labels
    fingerprint: str
    weights: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class ListingSet:
    """Listings with their labels by domain, float32 [N]: 0, 1, or NaN where nobody knows. `weights` as of messages."""

    features: tuple[ListingFeatures, ...]
    labels: Labels
    fingerprint: str
    weights: npt.NDArray[np.float32] | None = None


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


_Set = TypeVar("_Set", MessageSet, ListingSet)


def chosen(found: _Set, index: npt.NDArray[np.int64], labels: Mapping[str, str]) -> _Set:
    """The examples at `index`, with the labels that `labels` maps domains to, under the domains' names.

    The fingerprint stays that of the whole set.
    """
    features = tuple(found.features[i] for i in index)
    renamed = {domain: found.labels[label][index] for domain, label in labels.items()}
    weights = None if found.weights is None else found.weights[index]
    return type(found)(features, renamed, found.fingerprint, weights)


def message_set(examples: Iterable[Example], text: TextPipeline) -> MessageSet:
    """Features of `{"transaction_id", "status", "messages", "labels"}`; of longer conversations the last five count.

    Raises `ExampleError` naming its file and line, or its place in the order.
    """
    prepared: dict[str, npt.NDArray[np.int64]] = {}
    features: list[WindowFeatures] = []
    gathered = _Gathered()
    for number, example in enumerate(examples, start=1):
        place = place_of(example, number)
        gathered.add(example, place)
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
            raise ExampleError(f"{place}: not a window of messages: {error!r}") from error
    return MessageSet(tuple(features), gathered.labels(), gathered.fingerprint(), gathered.weights())


def listing_set(examples: Iterable[Example], text: TextPipeline, embed: Embed) -> ListingSet:
    """Features of `{"listing", "labels"}`. Raises `ExampleError` naming its file and line, or its place in the order."""
    features: list[ListingFeatures] = []
    gathered = _Gathered()
    for number, example in enumerate(examples, start=1):
        place = place_of(example, number)
        gathered.add(example, place)
        try:
            listing = msgspec.convert(contract_listing(example["listing"]), Listing)
        except (KeyError, TypeError, msgspec.ValidationError) as error:
            raise ExampleError(f"{place}: not a listing: {error}") from error
        features.append(
            listing_features(
                listing,
                title=text.prepare(listing.title),
                description=text.prepare(listing.description),
                image=_at(place, embed, example),
            )
        )
    return ListingSet(tuple(features), gathered.labels(), gathered.fingerprint(), gathered.weights())


def _at(place: str, embed: Embed, example: Example) -> npt.NDArray[np.float32] | None:
    try:
        return embed(example)
    except ExampleError as error:
        raise ExampleError(f"{place}: {error}") from error


def contract_listing(listing: Mapping[str, Any]) -> dict[str, Any]:
    """An example's listing as the contract's. Example files may hold null for what is not known, where a producer leaves the field out."""
    known = {name: value for name, value in listing.items() if value is not None}
    attributes = known.get("attributes")
    if isinstance(attributes, Mapping):
        known["attributes"] = {name: value for name, value in attributes.items() if value is not None}
    if "image" in known and "images" not in known:  # a picture counts in the auxiliary values, file or not
        known["images"] = [{"path": known["image"]}]
    return known


class _Gathered:
    """Labels, weights and the fingerprint of examples as they pass by."""

    def __init__(self) -> None:
        self._labels: list[Mapping[str, float | None]] = []
        self._weights: list[float] = []
        self._digest = hashlib.sha256()

    def add(self, example: Example, place: str) -> None:
        labels = checked_labels(example, place)
        self._labels.append(labels)
        self._weights.append(checked_weight(example, place))
        self._digest.update(
            json.dumps(example, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
        )

    def labels(self) -> Labels:
        domains: Sequence[str] = sorted({domain for labels in self._labels for domain in labels})
        return {
            domain: np.array([_number(labels.get(domain)) for labels in self._labels], np.float32)
            for domain in domains
        }

    def weights(self) -> npt.NDArray[np.float32] | None:
        if all(weight == 1 for weight in self._weights):
            return None
        return np.array(self._weights, np.float32)

    def fingerprint(self) -> str:
        return "sha256:" + self._digest.hexdigest()


def _number(label: float | None) -> float:
    return float("nan") if label is None else float(label)
