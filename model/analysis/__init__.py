"""What a trace or a model shows, in numbers. One file for each idea, with its equation."""
