"""The contracts, generated from `protos/libra/v1`. Never edited."""
