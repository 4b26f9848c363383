"""Facts about the contracts that two services or more share: names of categories, outcomes and attacks, and parameter limits.

Pure; it reads and writes nothing.
"""
