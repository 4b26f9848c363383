"""The attacks, one file or folder per family; `registry` finds them by name, `citations` lists their sources."""
