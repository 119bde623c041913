"""Messages out and receipts in: tracking links, who really opened, what a provider said."""
