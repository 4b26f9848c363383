"""Reads the parts that the responses of all APIs share: classes of answers, errors, waits and texts."""
