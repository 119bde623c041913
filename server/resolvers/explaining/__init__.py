"""Why something happened, or did not: facts in plain words, each with a code and what it was read from."""
