"""Attacks that a model writes: translations, other tenses, scenes, personas and arguments, with rules for those that have some."""
