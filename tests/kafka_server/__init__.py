"""Apache Kafka from Maven Central's jars, for the tests that only the real broker can answer."""
