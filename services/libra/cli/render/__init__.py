"""Formats replies for the terminal: tables, paragraphs, progress, transcripts.

It reads protobuf messages and writes to stdout and stderr; it calls no service.
"""
