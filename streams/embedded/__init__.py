"""A Kafka broker and a Triton server from pip packages, for a laptop and for tests."""
