"""Small made-up listings whose label hangs on words, a picture feature and a price, for tests of listing systems."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.data.datasets import ListingSet
from models.manifests import Manifest
from models.systems.contract import SYSTEMS, Context, Parts, Trained, load_system
from models.training.device import Device
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH, ListingFeatures
from streams.features.tokens import token_hash

WORDS = [token_hash(f"word{number}") for number in range(60)]
#: Listings whose words include this one violate "fake"; those whose picture has a strong first feature too.
FAKE_WORD = WORDS[0]
#: Another one, for "drugs".
DRUG_WORD = WORDS[1]


def made_up(count: int, seed: int) -> ListingSet:
    generator = np.random.default_rng(seed)
    features: list[ListingFeatures] = []
    labels: dict[str, list[float]] = {"fake": [], "drugs": []}
    for _ in range(count):
        tokens = generator.choice(WORDS[2:], generator.integers(0, 20)).astype(np.int64)
        image = None if generator.random() < 0.2 else generator.normal(size=IMAGE_WIDTH).astype(np.float32)
        aux = generator.normal(size=len(AUX_NAMES)).astype(np.float32)
        fake, drugs = generator.random() < 0.35, generator.random() < 0.25
        drugs = drugs and not fake
        if drugs:
            tokens = np.concatenate([tokens, [DRUG_WORD]]).astype(np.int64)
        if fake:
            if image is not None and generator.random() < 0.5:
                image[:40] += 2.0
            else:
                tokens = np.concatenate([[FAKE_WORD], tokens]).astype(np.int64)
            aux[0] += 1.0
        features.append(ListingFeatures(tokens, aux, image))
        labels["fake"].append(float(fake))
        labels["drugs"].append(float(drugs))
    return ListingSet(
        tuple(features), {name: np.array(of, np.float32) for name, of in labels.items()}, "sha256:made-up"
    )


TRAINING, VALIDATION, UNSEEN = made_up(500, 1), made_up(200, 2), made_up(300, 3)


def trained(
    system: str, domains: tuple[str, ...] = ("fake",), *, seed: int = 1, parts: Parts | None = None,
    network: dict[str, Any] | None = None, training: dict[str, Any] | None = None, **context: Any,
) -> dict[str, Trained]:  # fmt: skip
    """What that system learns of the made-up listings."""
    assert system in SYSTEMS
    found = load_system(system)
    manifest = Manifest(
        name="listing_test", kind="listing", system=system, domains=domains,
        labels={domain: domain for domain in domains},
        network=found.network_options(**(network or {})),
        training=found.training_options(**(training or {})),
        seed=seed,
    )  # fmt: skip
    around = Context(seed=seed, device=Device(), **context)
    return dict(found.train(domains, parts or Parts(TRAINING, VALIDATION), manifest, around))
