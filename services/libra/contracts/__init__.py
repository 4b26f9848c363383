"""Facts that several services share: names of categories, outcomes and attacks, and the limits of parameters.

Pure; it reads and writes nothing.
"""
