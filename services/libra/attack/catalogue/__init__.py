"""The attacks: one file a family, each with its own wording and the paper it was published in."""
