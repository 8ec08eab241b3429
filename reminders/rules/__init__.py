"""Each file here is one reminder; the index is reminders.timetable."""
