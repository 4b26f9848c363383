"""Attacks that write the prompt in other characters, which look alike, look odd or are not seen: one file a kind."""
