"""The tasks of the published evaluation: a card for each, and the import of published records as its samples.

It reads the cards in `cards/<category>/` (direct_risky is divided by risk) and files of records. No sample is included.
"""
