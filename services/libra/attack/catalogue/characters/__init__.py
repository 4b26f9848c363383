"""Attacks that write the prompt in similar, decorated or invisible characters, one file per kind."""
