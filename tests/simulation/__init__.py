"""A county for ninety days: `python -m tests.simulation --days 90`.

The real models, use cases, timetable, outbox, ledger and sender, in time that passes at once; doctors who are late,
silent or gone; platforms that fail; processes that are killed. Afterwards an oracle that knows the rules from their
words alone, and imports nothing of `reminders`, `handlers` or `bot`, says of every reminder whether it had to be.

- `county` who lives and works there; `days` what they do each day: the visits, `errands` doctors' other work, `offices`
  what supervisors do; `work` and `world` make it happen
- `platform` Telegram and WeCom, which keep their limits and count for themselves
- `process` the program on a machine, `episode` a stretch of time until somebody kills it, `kills` when that is
- `history` every change of a row with its instant, written by triggers
- `rules` with its `*_rules` what should be said, `oracle` with its `judge_*` whether it was, `deliveries` the platforms'
  counts against the limits, the quiet hours and the ledger
- `report` what was found

A process is killed by SIGKILL, at a statement, around a commit, or just before or after a message arrives; where two
run side by side, one of them is given up instead with all it had in memory, while the other lives on. Time is virtual,
the threads are one, and there are no sockets: the platforms stand behind the channel contract of `bot.channels`.
"""
