"""Attacks that write the prompt in a code and ask the model to read it: one file a kind of code."""
