"""What buyers and sellers say, by subject. Labels come from the scenario, not from the phrase alone."""
