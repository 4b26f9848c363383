"""Turns a completion into a verdict: rules first, a model where rules cannot tell.

It reads completion batches from the queue, and asks judge models through the gateway alone. It writes verdict batches to the
queue of ranking, and to the store how far a judge agrees with people.
"""
