"""Measured claims: one script a claim, the raw floor or a peer beside it in the same run. Run by hand."""
