"""The plain routes: GraphQL, tracking, provider callbacks, downloads, health."""
