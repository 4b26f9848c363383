"""What is done to the data as a whole: backups, changes of the schema, and the removal of old texts."""
