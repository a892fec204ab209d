"""A fault campaign: load on a real Kafka, real workers and a real Triton, things broken at random, nothing lost."""
