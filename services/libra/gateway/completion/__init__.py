"""One stored answer for each distinct request.

It reads earlier answers from the store, joins equal requests that are in flight, has the rest sent to the model, and writes
each new answer to the store before it returns it.
"""
