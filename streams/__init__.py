"""The engine: Kafka records in, screened by rules and models, alerts out. Everything that runs in production."""
