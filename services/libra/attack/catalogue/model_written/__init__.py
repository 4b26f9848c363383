"""Attacks that a model writes in one go, such as translations and scenes; some have rules as a fallback."""
