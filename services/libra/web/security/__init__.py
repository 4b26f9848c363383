"""Controls access to the pages, and protects readers from text that others wrote."""
