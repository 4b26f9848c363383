"""Attacks that add noise to the spelling of a prompt, which stays readable, one file per kind."""
