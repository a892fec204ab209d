"""What every listing system makes of its examples first: constants of the training part, and tables of inputs."""

from __future__ import annotations

import numpy as np
import torch

from models.data.datasets import ListingSet
from models.data.tables import Table, listing_table
from models.data.vocabulary import Vocabulary, inverse_document_frequency
from models.networks.listing import ListingStatistics
from models.systems.contract import Examples
from streams.features.tensors import IMAGE_WIDTH


def listing_statistics(training: ListingSet, vocabulary: Vocabulary) -> ListingStatistics:
    """idf, and mean and deviation of the pictures' features and auxiliary values, from the training part alone.

    Without any picture the deviations are 0, which switches the picture's columns off.
    """
    images = [row.image for row in training.features if row.image is not None]
    pictures = np.stack(images) if images else np.zeros((1, IMAGE_WIDTH), np.float32)
    aux = np.stack([row.aux for row in training.features])
    idf = inverse_document_frequency((row.tokens for row in training.features), vocabulary)
    return ListingStatistics(
        torch.from_numpy(idf),
        *(torch.from_numpy(of(values, axis=0)) for values in (pictures, aux) for of in (np.mean, np.std)),
    )


def listing_sets(training: Examples, validation: Examples) -> tuple[ListingSet, ListingSet]:
    """Both parts, which a listing system may rely on to be listings."""
    assert isinstance(training, ListingSet)
    assert isinstance(validation, ListingSet)
    return training, validation


def unlabelled_table(examples: Examples, vocabulary: Vocabulary) -> Table:
    """Inputs of all listings, in order; the labels are zeros that nobody looks at."""
    assert isinstance(examples, ListingSet)
    return listing_table(examples.features, np.zeros(len(examples.features), np.float32), vocabulary)
