"""Adapters for the APIs of model providers, with retry policy, API keys and request metrics.

It reads API keys from the environment and sends HTTP requests; it stores nothing.
"""
