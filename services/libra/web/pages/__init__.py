"""The pages, one module each: its routes, what it asks the services, and what it gives to its template."""
