"""One agent per input topic: each turns fetched record batches into screened, acknowledged outputs."""
