"""Turns a completion into a verdict, by a rule or by a judge model.

It reads completion batches from the queue and asks judge models through the gateway only. It writes verdict batches to
the queue of ranking, and to the store how well a judge agrees with human labels.
"""
