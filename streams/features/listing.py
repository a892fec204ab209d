"""A listing as its models see it, made in one place so that training and serving cannot differ."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from streams.events import Listing
from streams.features.auxiliary import auxiliary_values
from streams.features.tensors import ListingFeatures
from streams.features.tokens import PreparedText


def listing_features(
    listing: Listing,
    *,
    title: PreparedText,
    description: PreparedText,
    image: npt.NDArray[np.float32] | None = None,
) -> ListingFeatures:
    """Tokens of the title, then of the description, each prepared alone, so that no word forms across the seam.

    `image`: float32 [1280], or None as long as there is none.
    """
    return ListingFeatures(
        tokens=np.concatenate((title.tokens, description.tokens)),
        aux=auxiliary_values(listing),
        image=image,
    )
