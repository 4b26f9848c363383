"""Commands for operators: dead letters, backups and restores."""
