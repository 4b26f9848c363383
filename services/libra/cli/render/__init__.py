"""Formats replies for the terminal: tables, progress, transcripts; nothing here calls a service."""
