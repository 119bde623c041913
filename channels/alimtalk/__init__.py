"""What an Alimtalk is, apart from any relay: templates, what may be wrong with them, and a relay's desk.

Adapters of relays and the server stand on it; it imports the standard library only.
"""
