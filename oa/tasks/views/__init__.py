"""Pages of tasks, meetings and the calendar beyond the kit's."""
