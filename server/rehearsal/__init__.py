"""Rehearsals: a graph lives through months in seconds, on the real engine, with nobody real and nothing sent."""
