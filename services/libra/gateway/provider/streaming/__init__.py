"""Streamed answers: the form of each API's stream, and what reads it while it arrives."""
