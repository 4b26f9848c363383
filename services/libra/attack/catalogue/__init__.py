"""The attacks: a folder or a file for each family, each attack with its own wording and where it was published."""
