"""Attacks that encode the prompt and ask the model to decode it, one file per kind of code (`byte_codes`: Base64)."""
