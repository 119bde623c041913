"""Cohorts: who came in a period, and what became of them in the periods after it."""
