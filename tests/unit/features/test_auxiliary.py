from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.events import ImageSource, Listing
from streams.features.auxiliary import ATTRIBUTE_SLOTS, AUX_NAMES, LARGEST, auxiliary_values


def row(**fields: object) -> dict[str, float]:
    listing = Listing(**{"listing_id": "l", "seller_id": "s", "title": "t", **fields})  # type: ignore[arg-type]
    return dict(zip(AUX_NAMES, auxiliary_values(listing).tolist(), strict=True))


any_text = st.text(st.characters(codec=None), max_size=30)
any_number = st.floats(allow_nan=True, allow_infinity=True)
listings = st.builds(
    Listing,
    listing_id=st.just("l"),
    seller_id=st.just("s"),
    title=any_text,
    description=any_text,
    price=st.none() | any_number,
    currency=st.none() | any_text | st.sampled_from(["JPY", "usd", "XXX"]),
    category=st.none() | any_text,
    brand=st.none() | any_text,
    condition=st.none() | any_text,
    images=st.lists(st.just(ImageSource(data="")), max_size=50).map(tuple),
    attributes=st.dictionaries(any_text, any_text | any_number | st.booleans(), max_size=40),
)


@given(listings)
def test_every_listing_has_a_finite_row(listing: Listing) -> None:
    values = auxiliary_values(listing)
    assert values.shape == (len(AUX_NAMES),)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert (np.abs(values) <= LARGEST).all()


def test_prices_in_any_currency_stand_on_one_scale() -> None:
    yen = row(price=15_000, currency="JPY")
    assert yen["log_price_jpy"] == pytest.approx(math.log1p(15_000))
    assert row(price=100, currency="usd")["log_price_jpy"] == pytest.approx(yen["log_price_jpy"])
    assert (yen["price_missing"], yen["currency_unknown"]) == (0, 0)


@pytest.mark.parametrize("price", [None, float("nan"), float("inf"), -1.0])
def test_a_price_that_is_none_says_so(price: float | None) -> None:
    assert (row(price=price)["log_price_jpy"], row(price=price)["price_missing"]) == (0, 1)


def test_a_free_item_has_a_price() -> None:
    assert (row(price=0)["log_price_jpy"], row(price=0)["price_missing"]) == (0, 0)


@pytest.mark.parametrize(
    ("condition", "value", "missing"),
    [
        ("新品、未使用", 1, 0),
        ("Brand New", 1, 0),
        ("for-parts", 0, 0),
        ("ジャンク", 0, 0),
        ("slightly haunted", 0.5, 0),
        (None, 0.5, 1),
    ],
)
def test_conditions(condition: str | None, value: float, missing: float) -> None:
    assert (row(condition=condition)["condition"], row(condition=condition)["condition_missing"]) == (
        value,
        missing,
    )


def test_text_statistics() -> None:
    values = row(title="Ab12", description="！★あい")
    assert values["digit_ratio"] == pytest.approx(2 / 9)
    assert values["latin_ratio"] == pytest.approx(2 / 9)
    assert values["symbol_ratio"] == pytest.approx(1 / 9)
    assert values["exclamation_ratio"] == pytest.approx(1 / 9)
    assert values["log_title_length"] == pytest.approx(math.log1p(4))


def test_presence() -> None:
    values = row(brand="x", category="", images=(ImageSource(url="u"),) * 3)
    assert (values["brand_present"], values["category_present"]) == (1, 0)
    assert values["images"] == pytest.approx(math.log(4))


def slots(**attributes: str | float | bool) -> list[float]:
    values = row(attributes=attributes)
    return [values[f"attribute_{slot}"] for slot in range(ATTRIBUTE_SLOTS)]


def test_numeric_attributes_go_to_the_slot_of_their_name() -> None:
    year, weight = slots(year=1999.0), slots(weight=-3.5)
    assert sorted(year)[-1] == pytest.approx(math.log1p(1999))
    assert sorted(weight)[0] == pytest.approx(-math.log1p(3.5))
    assert slots(weight=-3.5, year=1999.0, colour="red") == [a + b for a, b in zip(year, weight, strict=True)]
    assert slots(colour="red", broken=float("nan")) == [0] * ATTRIBUTE_SLOTS
    assert sum(slots(signed=True)) == pytest.approx(math.log(2))
