"""A new channel, written from templates: an installable package that keeps the contract at once."""
