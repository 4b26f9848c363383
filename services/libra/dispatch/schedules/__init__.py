"""Schedules: runs that are created from templates, at times and at events."""
