"""What leaves the house: the model as a points card, as a document and as SQL."""
