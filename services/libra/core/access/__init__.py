"""The rules of teams, and the rules of API keys."""
