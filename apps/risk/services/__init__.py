"""Writes verdicts and the budget."""
