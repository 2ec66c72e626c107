"""Text written by a model: sampling, beam search, and the KV cache."""
