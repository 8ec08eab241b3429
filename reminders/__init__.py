"""reminders is what the bot says unasked. It imports handlers and models."""
