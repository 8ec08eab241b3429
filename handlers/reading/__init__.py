"""Reading what people type: tidying, numbers, days, periods and units. It imports nothing of ours outside itself."""
