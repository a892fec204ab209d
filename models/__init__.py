"""Training: networks, datasets, training loop, evaluation, export. Needs the `train` extra (torch)."""
