"""models is what the bot remembers. It imports nothing else of ours."""
