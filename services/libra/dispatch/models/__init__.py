"""The rules that a model must follow to be registered: its URL, its headers, and the sources of its keys."""
