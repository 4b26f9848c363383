"""Keys: where they are found, which hosts they may be sent to, and signatures and tokens made of them."""
