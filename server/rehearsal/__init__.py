"""Rehearsals: a graph lives through months in seconds, on the real engine. Nobody is real, nothing leaves."""
