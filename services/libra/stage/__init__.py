"""How any service takes a batch from start to end.

It reads deliveries from a queue (`bus.Bus`, of which it knows no more than the Protocol) and gives what is in them to a
handler. It writes what the handler returns to the queue, and what can never succeed to `dead.<stage>`.
"""
