"""From the measured cost of an event to partitions, workers, Triton instances and brokers for a given load."""
