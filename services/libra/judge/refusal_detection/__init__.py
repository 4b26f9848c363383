"""Detects refusals: it classifies an answer as refused, ignored or complied.

It reads the texts of request and answer, without a model, and looks for refusal phrases and for words that both share.
"""
