"""The ways of scoring that a manifest can name, one module each, behind one contract."""
