"""Attacks of several turns: a model writes attempts, the model under attack answers, and a judge model says how far it went."""
