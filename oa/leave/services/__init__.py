"""Commands of leave."""
