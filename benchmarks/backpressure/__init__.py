"""What a slow or a hung Triton does to a worker: rule alerts, memory, lag, predictions."""
