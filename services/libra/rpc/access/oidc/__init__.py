"""Knows callers by bearer tokens (JWT) of an OpenID Connect provider."""
