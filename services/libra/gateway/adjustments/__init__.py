"""The memory of the parameters that endpoints refuse, which replicas share through the store."""
