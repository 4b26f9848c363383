"""The prices of models, and the ledgers of budgets."""
