"""The attack service: a catalogue of named, versioned and seeded attacks that rewrite prompts; some of them ask models.

It reads trial batches from its queues, the answers of models from the gateway, and the states of runs from the store.
It writes the rewritten batches to the queue of their model; trials that cannot be rewritten go to the judge's queue as
failed completions.
"""
