"""Operations on all data: backups, changes of the schema, and the removal of old texts."""
