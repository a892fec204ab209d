"""The one place where a listing becomes a model's input."""

import numpy as np

from streams.events import Listing
from streams.features.auxiliary import auxiliary_values
from streams.features.listing import listing_features
from streams.features.tensors import IMAGE_WIDTH
from streams.features.tokens import TextPipeline


def test_title_then_description_and_no_word_across_the_seam() -> None:
    text = TextPipeline()
    listing = Listing(listing_id="l", seller_id="s", title="abc", description="def", price=10.0)
    title, description = text.prepare(listing.title), text.prepare(listing.description)
    features = listing_features(listing, title=title, description=description)
    assert features.tokens.tolist() == [*title.tokens, *description.tokens]
    assert features.tokens.tolist() != text.prepare(listing.title + listing.description).tokens.tolist()
    assert features.tokens.dtype == np.int64
    assert features.aux.tobytes() == auxiliary_values(listing).tobytes()
    assert features.image is None


def test_the_picture_is_handed_on_as_it_is() -> None:
    nothing = TextPipeline().prepare("")
    picture = np.ones(IMAGE_WIDTH, np.float32)
    listing = Listing(listing_id="l", seller_id="s", title="", description="")
    features = listing_features(listing, title=nothing, description=nothing, image=picture)
    assert features.image is picture
    assert features.tokens.shape == (0,)
