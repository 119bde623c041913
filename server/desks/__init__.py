"""At the desks of Alimtalk relays: templates are handed in, looked after, and kept in step with the relay."""
