"""Reads the files and data sets that commands take; an error names the file, the line and the key or column.

Run files, CSV files of labels and of capability scores, and data sets from Hugging Face.
"""
