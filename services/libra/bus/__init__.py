"""The only package that uses NATS; it implements `libra.stage.bus` over JetStream.

It reads and writes the work streams and the stream DEAD, and creates them (`streams`, `provisioning`), also after the
server lost its data. Events are core NATS messages and are not stored. Every connection fault is raised as
`libra.core.errors.Unavailable`.
"""
