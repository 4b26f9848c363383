"""Attacks that spoil the spelling of a prompt and leave it to be read: one file a kind."""
