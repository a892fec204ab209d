"""Calling the models: the Triton client, batches by model and length bucket, the circuit breaker."""
