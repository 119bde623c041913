"""Commerce: what events tell of orders, refunds, coupons and sign-ups. Pure: no I/O, no clock of its own."""
