"""A work item leaves the house."""
