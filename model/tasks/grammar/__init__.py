"""The artificial language: its vocabulary, its sentences, and what its generator knows of them."""
