"""Where a network computes: the GPU when there is one, in bfloat16 where that is safe."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

DeviceName = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, slots=True)
class Device:
    """A place to compute and whether forward passes there run in bfloat16. Weights and losses are always float32."""

    name: Literal["cpu", "cuda"] = "cpu"
    bf16: bool = False

    def __post_init__(self) -> None:
        if self.name == "cuda":
            # cuBLAS keeps its sums in one order only with a fixed workspace; read when its first handle is made.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

    @property
    def torch(self) -> torch.device:
        """As torch knows it."""
        return torch.device(self.name)

    def moved(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The tensors there."""
        return tuple(values.to(self.torch) for values in inputs)

    def autocast(self) -> AbstractContextManager[object]:
        """Around a forward pass. bfloat16 has float32's range, so no loss scaling is needed."""
        return torch.autocast(self.name, torch.bfloat16) if self.bf16 else nullcontext()

    def __str__(self) -> str:
        what = torch.cuda.get_device_name() if self.name == "cuda" else "cpu"
        return f"{what}, {'bf16' if self.bf16 else 'fp32'}"


def choose_device(name: DeviceName = "auto", precision: Precision = "auto") -> Device:
    """The device asked for; `auto` takes the GPU when there is one, and bfloat16 on a GPU that computes in it.

    On a CPU `auto` stays in float32, whose results are the same bits each time. Raises ValueError for `cuda`
    without a GPU.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise ValueError("no GPU that this torch can use; take --device auto or cpu")
    chosen: Literal["cpu", "cuda"] = "cuda" if has_gpu and name != "cpu" else "cpu"
    if precision == "auto":
        return Device(chosen, bf16=chosen == "cuda" and torch.cuda.is_bf16_supported())
    return Device(chosen, bf16=precision == "bf16")
