"""A county for ninety days: `python -m tests.simulation --days 90`.

The real models, use cases, timetable, outbox, ledger and sender, in time that passes at once; doctors who are late,
silent or gone; platforms that fail; processes that are killed. Afterwards an oracle that knows the rules from their
words alone, and imports nothing of `reminders`, `handlers` or `bot`, says of every reminder whether it had to be.

- `county` who lives and works there, `days` what they do each day, `world` makes it happen
- `platform` Telegram and WeCom, which keep their limits and count for themselves
- `process` the program on a machine, `episode` a stretch of time until somebody kills it, `kills` when that is
- `history` every change of a row with its instant, `oracle*` what should have been, `report` what was found
"""
