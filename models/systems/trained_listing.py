"""What trained listing systems that are one network have in common: scores, gates and the model file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
from torch import nn

from models.data.vocabulary import Vocabulary
from models.export.graph import listing_onnx
from models.systems.contract import Examples
from models.systems.listing_inputs import unlabelled_table
from models.training.loop import outputs, scores
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH


@dataclass(frozen=True, slots=True)
class TrainedListing:
    """A network that answers (logit, gate), with its vocabulary."""

    network: nn.Module
    vocabulary: Vocabulary

    def scores(self, examples: Examples) -> npt.NDArray[np.float64]:
        """See `Trained`."""
        return scores(self.network, unlabelled_table(examples, self.vocabulary))

    def gates(self, examples: Examples) -> npt.NDArray[np.float32] | None:
        """See `Trained`."""
        return outputs(self.network, unlabelled_table(examples, self.vocabulary))[1]

    def to_onnx(self) -> onnx.ModelProto:
        """See `Trained`."""
        return listing_onnx(self.network, self.vocabulary, image_width=IMAGE_WIDTH, aux_width=len(AUX_NAMES))
