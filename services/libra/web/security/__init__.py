"""Who may read the pages, and what protects a reader from text that others wrote."""
