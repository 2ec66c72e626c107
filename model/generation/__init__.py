"""Text generation: sampling, beam search, and the KV cache."""
