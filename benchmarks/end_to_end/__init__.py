"""Sekisho from Kafka to Kafka, beside everything a user would pick instead, doing the same work on the same cores."""
