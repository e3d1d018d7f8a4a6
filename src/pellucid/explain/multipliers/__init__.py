"""Multipliers: how much an answer differs, for each unit by which a number differs."""
