"""What all workers counted, hour by hour: scores, alerts and facts of inputs, as counts that add up (pure)."""
