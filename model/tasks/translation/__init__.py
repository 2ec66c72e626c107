"""English sentences and their French translations, with the gold alignment."""
