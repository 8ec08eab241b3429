"""Each file here is one service; the index is handlers.menu."""
