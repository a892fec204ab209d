"""AdaBound (Luo et al., ICLR 2019): Adam whose step sizes are bounded, ever more tightly, towards those of SGD.

The published package (adabound 0.0.5) lives on overloads that torch has deprecated; a test compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor
from torch.optim import Optimizer


class AdaBound(Optimizer):
    """The paper's algorithm 2 with bias correction; defaults are the paper's.

    Step sizes stay within final_lr·(1 - 1/(γt+1)) and final_lr·(1 + 1/(γt)). A schedule that lowers `lr` lowers
    `final_lr` in the same proportion.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        *,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        final_lr: float = 0.1,
        gamma: float = 1e-3,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        if lr <= 0 or final_lr <= 0 or eps <= 0 or weight_decay < 0:
            raise ValueError("lr, final_lr and eps must be above 0 and weight_decay not below")
        if not (0 <= betas[0] < 1 and 0 <= betas[1] < 1 and 0 < gamma < 1):
            raise ValueError("betas must lie within 0..1 (1 excluded) and gamma strictly between 0 and 1")
        defaults = {
            "lr": lr, "betas": betas, "final_lr": final_lr, "gamma": gamma, "eps": eps, "weight_decay": weight_decay
        }  # fmt: skip
        super().__init__(parameters, defaults)
        self._initial_lrs = [float(group["lr"]) for group in self.param_groups]

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """One update from the gradients that are there; `closure` recomputes them and gives the loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group, initial_lr in zip(self.param_groups, self._initial_lrs, strict=True):
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group, initial_lr)
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any], initial_lr: float) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["mean"] = torch.zeros_like(parameter)
            state["square"] = torch.zeros_like(parameter)
        state["step"] += 1
        step: int = state["step"]
        beta1, beta2 = group["betas"]
        if group["weight_decay"]:
            gradient = gradient.add(parameter, alpha=group["weight_decay"])
        state["mean"].lerp_(gradient, 1 - beta1)
        state["square"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        size = group["lr"] * math.sqrt(1 - beta2**step) / (1 - beta1**step)
        final = group["final_lr"] * group["lr"] / initial_lr
        lower = final * (1 - 1 / (group["gamma"] * step + 1))
        upper = final * (1 + 1 / (group["gamma"] * step))
        bounded = (size / (state["square"].sqrt() + group["eps"])).clamp_(lower, upper)
        parameter.sub_(bounded.mul_(state["mean"]))
