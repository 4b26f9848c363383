"""The only package that uses NATS; it implements `libra.stage.bus` over JetStream.

It reads and writes the work streams and the stream DEAD, which it also creates (`streams`, `provisioning`). Events are
core NATS messages, which nothing stores; every connection fault is raised as `libra.core.errors.Unavailable`.
"""
