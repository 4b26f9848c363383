"""Commands that show or write the results of a run."""
