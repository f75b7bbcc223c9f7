"""Where a machine may act: certified promises, or refusals that say what is missing."""
