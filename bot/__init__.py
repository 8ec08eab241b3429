"""bot is how Cunyi reaches people.

models is what the bot remembers. handlers is what it answers.
reminders is what it says unasked. Imports point one way: bot -> reminders -> handlers -> models.
"""
