"""The tasks of the published evaluation: a card for each, and how records as they were published become its samples.

The cards stand in the folder `cards`. No sample comes with them.
"""
