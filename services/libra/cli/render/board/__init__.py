"""Leaderboards as tables and files."""
