"""Commands on tasks, meetings and calendars."""
