"""The only room that talks to models: limits, retries, cost, and one answer for each distinct request.

It reads trial batches from the queue, one consumer a model, and the models' entries and earlier answers from the store. It
writes each new answer to the store, and only then passes it on, as completion batches, to the judges.
"""
