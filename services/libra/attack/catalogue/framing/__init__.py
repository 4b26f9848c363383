"""Attacks that put the prompt, whole, into something else: a document, a program, a part to play, a reason, an order."""
