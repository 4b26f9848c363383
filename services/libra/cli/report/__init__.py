"""The report on a run, as one HTML page or one Markdown file.

contents    the sections and what they say
samples     answers to show, drawn at random
blocks      paragraphs, tables and answers
markdown    blocks as Markdown
html_page   blocks as an HTML page that loads nothing
"""
