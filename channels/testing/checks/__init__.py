"""The checks themselves, one file a thought. Each returns what it found, in sentences."""
