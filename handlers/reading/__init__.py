"""Reading what people type: numbers, days, periods, names, identity numbers and units. It imports nothing of ours."""
