"""Schedules with their firings, and webhooks with their events and deliveries."""
