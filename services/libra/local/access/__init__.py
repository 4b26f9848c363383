"""TLS and tokens of a system on one machine: its certificates, and the secrets of its services and of its owner."""
