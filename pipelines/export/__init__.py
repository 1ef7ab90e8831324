"""What leaves the house: the model as a points card."""
