"""The attacks, one folder per kind; `registry` finds them by name, `citations` lists their sources."""
