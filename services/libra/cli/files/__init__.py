"""Reads and checks the files that commands take: run files, label and capability tables, data sets."""
