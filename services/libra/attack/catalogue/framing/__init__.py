"""Attacks that put the prompt into a frame: a document, a program, a persona, a pretext or other turns."""
