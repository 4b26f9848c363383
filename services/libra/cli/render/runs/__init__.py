"""Tables and progress of runs."""
