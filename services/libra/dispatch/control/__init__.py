"""Controls runs (pause, resume, retry, budgets, estimates), dead letters, migrations and the removal of texts."""
