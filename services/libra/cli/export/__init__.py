"""Writes the results of a run in the formats of other tools.

verdict_rows       a verdict as a flat row
tables             CSV, JSON Lines and Parquet
every_eval_ever    Every Eval Ever 0.3
eval_results       Hugging Face .eval_results
exported_run       what the formats are made from
"""
