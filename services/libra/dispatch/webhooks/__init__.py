"""Webhooks: events are told to receivers that users name."""
