"""The statistics of the arena: ratings from votes, their errors, the choice of pairs, and tests of single voters.

Models and voters are numbered from 0; the caller keeps the names. No function performs input or output.
"""
