"""Everything above as one report: JSON and a page."""
