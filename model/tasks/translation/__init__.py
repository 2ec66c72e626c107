"""English sentences and their French translations, with the correct alignment."""
