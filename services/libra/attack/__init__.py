"""Rewrites prompts: the catalogue of attacks, each named, versioned, seeded and pure.

It reads trial batches from the queue, and nothing else. It writes them, rewritten, to the queue of their model, and the trials
that no attack could rewrite to the judges, as answers that are missing.
"""
