"""`sekisho calibrate --write` wrote thresholds that no score reaches."""
