"""GraphQL types, inputs, problems, limits."""
