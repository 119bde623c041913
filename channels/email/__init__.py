"""Email: writing a letter that arrives as it was meant, and handing it to a provider."""
