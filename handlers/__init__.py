"""handlers is what the bot answers. It imports models and nothing above it."""
