"""Segments: who meets a saved condition, asked of pages of users."""
