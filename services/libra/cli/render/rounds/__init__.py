"""Prints rounds and the reports about them."""
