"""Keeps sealed samples secret, and checks the key of an auditor."""
