"""Authenticates callers and checks which methods they may call."""
