"""`python -m server.cli`: the same as `sojourn`."""

from . import main

main()
