"""Ground floor: rows, the database that holds them, jobs deferred beside them, secrets, the audit chain."""
