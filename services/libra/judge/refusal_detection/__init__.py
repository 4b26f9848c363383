"""How an answer is told to refuse: in whose voice it speaks, in which words, and whether it speaks of what was asked.

It reads text and writes a word for it; pure, and without a model.
"""
