"""Messages that an app or a page shows itself."""
