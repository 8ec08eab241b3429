"""Each file with a `form` is one service, and the index of them is handlers.menu; the others are steps that forms share."""
