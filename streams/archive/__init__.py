"""What came out, kept for years: predictions, alerts and decisions from Kafka as Parquet files, each record once."""
