"""Each file here is one digest; the index is reminders.timetable."""
