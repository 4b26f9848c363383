"""Rewrites prompts: the catalogue of attacks, each named, versioned and seeded; most are pure, some ask models.

It reads trial batches from the queue, the answers of models from the gateway, and from the store whether a run has ended. It writes
the batches, rewritten, to the queue of their model, and the trials that no attack could rewrite to the judges, as answers that are
missing.
"""
