"""Every goal of the README measured beside its peer, in the same run on the same machine."""

ROWS = ("inbound", "overdue", "planning", "county_summary", "idle", "delivery")
"""The index: each is a module here with a function `measure(quick)`."""
