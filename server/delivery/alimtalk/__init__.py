"""Messages that are made of a project's own template: which version leaves, what it says, what proves it."""
