"""Kafka at the edge: topics, producers, dead letters, security, and the corrections to faust-streaming 0.15.3."""
