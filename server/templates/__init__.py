"""Texts of messages: Liquid templates, checked when they are written and rendered within limits."""
