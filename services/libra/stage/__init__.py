"""Runs one stage of the pipeline: pull a batch, handle it, publish the result, acknowledge.

It reads deliveries from a queue (the Protocol `libra.stage.bus.Bus`) and passes their batches to a handler. It
publishes what the handler returns, and dead-letters what can never succeed to `dead.<stage>`.
"""
