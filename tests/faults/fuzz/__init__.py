"""Bad input in bulk: mutated records through the real worker; it never dies, and every record is accounted for."""
