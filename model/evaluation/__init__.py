"""Accuracy, loss and attention of models on data that was not used in training."""
