"""`libra token` and `libra audit-log`."""
