"""What the project knows of its Alimtalk templates, pure: how they stand, and what they declare."""
