"""The programs nats-server and mongod: where they are found, and what they need."""
