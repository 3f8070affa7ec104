"""Measures the token-safety verdict on contracts whose truth is known, each with a pool of its own on a local chain."""
