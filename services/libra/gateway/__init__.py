"""The only package that talks to models: limits, retries, cost, and one stored answer for each distinct request.

It reads batches of trials from the queue, one consumer per model, and the registered models and earlier answers from
the store. It writes each new answer to the store, and then publishes batches of completions for the judges.
"""
