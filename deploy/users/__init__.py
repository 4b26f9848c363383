"""The users of NATS and MongoDB, one for each service, with the rights that it needs and no others."""
