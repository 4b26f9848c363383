"""The services of tokens and of the audit log."""
