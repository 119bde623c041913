"""Files that people write: YAML or JSON into plain data with the line of everything, and back."""
