"""Permissions as files: taken in from CSV, and written out as CSV that can be taken in again."""
