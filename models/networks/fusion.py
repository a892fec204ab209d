"""Ways to join a text vector and an image vector of which either may be missing."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

FusionName = Literal["gmu", "concat", "linear_sum", "max_pool"]


class Fusion(nn.Module):
    """Text and image to one vector, and how much each counted.

    `gmu` is the gated multimodal unit of Arevalo et al. 2017: h = z·tanh(Wt·t) + (1-z)·tanh(Wv·v) with
    z = σ(Wz·[t; v]). The others are that study's comparisons: both side by side, their sum, their maximum.
    A missing modality is masked: it adds nothing, and the gate gives everything to the other one.
    """

    def __init__(self, name: FusionName, text_width: int, image_width: int, width: int) -> None:
        super().__init__()
        if name not in get_args(FusionName):
            raise ValueError(f"fusion {name!r} is not one of {', '.join(get_args(FusionName))}")
        self.name = name
        self.text = nn.Linear(text_width, width)
        self.image = nn.Linear(image_width, width)
        self.gate = nn.Linear(text_width + image_width, width) if name == "gmu" else None
        self.width = 2 * width if name == "concat" else width

    def forward(
        self, text: Tensor, has_text: Tensor, image: Tensor, has_image: Tensor
    ) -> tuple[Tensor, Tensor]:
        """`text` [B, T], `image` [B, I], `has_*` [B, 1] of 0 or 1 → fused [B, width], gate [B, 2] (text, image).

        The gate sums to 1 wherever there is a modality at all. For the fusions without one it is the share of each
        modality in the fused vector's magnitude (for `max_pool`, of the values taken over).
        """
        of_text = torch.tanh(self.text(text)) * has_text
        of_image = torch.tanh(self.image(image)) * has_image
        if self.gate is not None:
            z = torch.sigmoid(self.gate(torch.cat([text * has_text, image * has_image], dim=1)))
            weight_text = has_text * (has_image * z + (1 - has_image))
            weight_image = has_image * (has_text * (1 - z) + (1 - has_text))
            return weight_text * of_text + weight_image * of_image, _means(weight_text, weight_image)
        if self.name == "max_pool":
            # A missing modality must lose against any value of a tanh, whatever its sign.
            against_text, against_image = of_text - 2 * (1 - has_text), of_image - 2 * (1 - has_image)
            both_missing = (1 - has_text) * (1 - has_image)
            fused = torch.maximum(against_text, against_image) * (1 - both_missing)
            won = (against_text >= against_image).to(torch.float32) * has_text
            return fused, _means(won, (1 - won) * has_image)
        fused = torch.cat([of_text, of_image], dim=1) if self.name == "concat" else of_text + of_image
        magnitude = torch.cat(
            [of_text.abs().mean(1, keepdim=True), of_image.abs().mean(1, keepdim=True)], dim=1
        )
        return fused, magnitude / magnitude.sum(dim=1, keepdim=True).clamp(min=1e-6)


def _means(text: Tensor, image: Tensor) -> Tensor:
    return torch.cat([text.mean(dim=1, keepdim=True), image.mean(dim=1, keepdim=True)], dim=1)
