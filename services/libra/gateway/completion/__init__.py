"""One stored answer for each distinct request.

It reads earlier answers from the store, joins equal requests that run at the same time, has the model client send the
others, and writes each new answer to the store before it returns it.
"""
