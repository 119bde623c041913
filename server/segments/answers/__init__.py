"""Questions answered for everybody at once, by sets. What sets leave open is asked person by person."""
