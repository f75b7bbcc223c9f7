"""Backtest: what one version of the policy would have made of a past period, beside what another makes of it."""
