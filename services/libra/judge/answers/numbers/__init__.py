"""Reads the number that an answer gives, in digits or in words."""
