"""The grammar language: its vocabulary, its generators and their annotations."""
