"""Gate weights by class and attribute, and how an attribute is read from a listing."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.gates import HAS_IMAGE, NotBinaryError, binary_attribute, read_gates

TRUTH = np.array([1, 1, 0, 0, 0, 0], np.float32)
TEXT = np.array([0.2, 0.4, 0.6, 0.8, 0.7, 1.0], np.float32)
GATES = np.stack([TEXT, 1 - TEXT], axis=1)
PICTURE = np.array([True, True, True, True, True, False])


def test_by_class_over_listings_with_a_picture() -> None:
    found = read_gates(TRUTH, GATES, PICTURE)
    assert [(g.title, g.listings, pytest.approx(g.mean.value)) for g in found.groups] == [
        ("violation", 2, 0.3),
        ("no violation", 3, 0.7),
    ]
    assert found.groups[1].quartiles == pytest.approx((0.65, 0.7, 0.75))
    assert (found.without_picture, found.unknown) == (1, 0)


def test_by_an_attribute() -> None:
    new = np.array([1, 0, 1, 0, np.nan, 1], np.float32)
    found = read_gates(TRUTH, GATES, PICTURE, by="attributes.brand_new", attribute=new)
    assert {g.title: (g.listings, round(g.mean.value or 0, 6)) for g in found.groups[2:]} == {
        "violation, attributes.brand_new: yes": (1, 0.2),
        "violation, attributes.brand_new: no": (1, 0.4),
        "no violation, attributes.brand_new: yes": (1, 0.6),
        "no violation, attributes.brand_new: no": (1, 0.8),
    }
    assert found.unknown == 1


def test_by_picture_counts_listings_without_one() -> None:
    found = read_gates(TRUTH, GATES, PICTURE, by=HAS_IMAGE, attribute=PICTURE.astype(np.float32))
    by_title = {g.title: g.listings for g in found.groups}
    assert by_title["no violation, has_image: no"] == 1
    assert "violation, has_image: no" not in by_title  # there is none: no row for nothing


def test_means_lie_within_their_intervals() -> None:
    order = np.random.default_rng(1)
    text = order.beta(4, 2, 500).astype(np.float32)
    gates = np.stack([text, 1 - text], axis=1)
    truth = (np.arange(500) % 5 == 0).astype(np.float32)
    found = read_gates(truth, gates, np.ones(500, np.bool_))
    for group in found.groups:
        mean = group.mean
        assert mean.low < mean.value < mean.high  # type: ignore[operator]
        error = text[truth == group.positive].std() / np.sqrt(group.listings)
        assert mean.high - mean.low == pytest.approx(2 * 1.96 * error, rel=0.15)  # type: ignore[operator]


LISTING = {
    "listing": {"category": "toys", "price": 1, "attributes": {"new": True, "sold": 0, "colour": "赤"}}
}


@pytest.mark.parametrize(
    ("by", "answer"),
    [
        ("attributes.new", True),
        ("attributes.sold", False),
        ("attributes.none", None),
        ("category=toys", True),
        ("category=bags", False),
        ("brand=Bellini", None),
        ("attributes.colour=赤", True),
        ("attributes.new=true", True),
        ("attributes.sold=0", True),
    ],
)
def test_attributes_are_read(by: str, answer: bool | None) -> None:
    assert binary_attribute(by)(LISTING) is answer


def test_a_value_that_is_neither_yes_nor_no_says_how_to_ask() -> None:
    with pytest.raises(NotBinaryError, match=r"--by 'attributes\.colour=赤'"):
        binary_attribute("attributes.colour")(LISTING)


def test_a_listing_without_attributes_does_not_say() -> None:
    assert binary_attribute("attributes.new")({"listing": {"title": "x", "attributes": None}}) is None
