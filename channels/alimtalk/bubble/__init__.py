"""What an Alimtalk looks like: its parts from top to bottom, and drawings of them as HTML and SVG."""

from .parts import Bubble, Part, PartKind, Shown, Tap, bubble_of

__all__ = ["Bubble", "Part", "PartKind", "Shown", "Tap", "bubble_of"]
