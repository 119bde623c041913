"""Counters and user sets: filled in the loop's transaction, rebuilt from facts, asked for every figure."""
