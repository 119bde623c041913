"""For teams that test their journeys: the same rehearsals that the server makes, as a fixture of pytest."""
