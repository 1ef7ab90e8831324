"""Probability, evaluation and policy: frames in, frames out."""
