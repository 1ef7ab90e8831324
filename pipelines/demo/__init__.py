"""A generated world whose true conversion probabilities are known."""
