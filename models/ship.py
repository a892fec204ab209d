"""`python -m models.ship`: make everything in the model repository anew, from generated data, reproducibly."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import click
import torch

from models.shipping import ShippedModel, image_encoder, listing_model, message_model
from models.shipping_plan import LISTING_DOMAINS, MESSAGE_DOMAINS, ShippingPlan, small_plan
from models.training import deterministic

#: A thread count changes the order of sums and with it the last bits of every weight.
_THREADS = 1


def ship(
    out: Path, plan: ShippingPlan, *, only: tuple[str, ...] = (), say: Callable[[str], None] = lambda _: None
) -> list[ShippedModel]:
    """Train, evaluate, export and write every model (or those named in `only`) under `out`.

    Raises ValueError for a name in `only` that is not shipped.
    """
    names = [
        "image_encoder",
        *(f"message_{d}" for d in MESSAGE_DOMAINS),
        *(f"listing_{d}" for d in LISTING_DOMAINS),
    ]
    if unknown := sorted(set(only) - set(names)):
        raise ValueError(f"no such model: {', '.join(unknown)}; there are {', '.join(names)}")
    wanted = set(only or names)
    torch.set_num_threads(_THREADS)
    deterministic(plan.seed)
    shipped: list[ShippedModel] = []
    encoder = image_encoder(out, plan)
    if "image_encoder" in wanted:
        shipped.append(encoder.shipped)
    messages = plan.message_sets() if any(name.startswith("message_") for name in wanted) else None
    for domain in MESSAGE_DOMAINS:
        if messages is not None and f"message_{domain}" in wanted:
            shipped.append(message_model(domain, messages, out, plan, say))
    goods = plan.listing_sets(encoder.model) if any(name.startswith("listing_") for name in wanted) else None
    for domain in LISTING_DOMAINS:
        if goods is not None and f"listing_{domain}" in wanted:
            shipped.append(listing_model(domain, goods, out, plan, say))
    return shipped
