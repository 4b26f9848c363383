"""The judges, one file for each or for two of a kind; `libra.judge.registry` lists them."""
