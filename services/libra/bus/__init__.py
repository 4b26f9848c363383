"""The only room that talks to NATS; `libra.stage` says what a stage needs of it.

It reads and writes the streams of the stages and DEAD (`streams`), which it makes itself, and makes again when the server has lost
its data. Signals travel beside them and are stored nowhere. Every fault of the connection leaves it as
`libra.errors.Unavailable`.
"""
