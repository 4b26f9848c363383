"""The limits of one model in one replica: concurrency, requests and tokens per minute, pauses, and prefetch.

It keeps its state in memory: it reads nothing and writes nothing. `libra.gateway.quota` sets how much of a limit a
replica may use.
"""
