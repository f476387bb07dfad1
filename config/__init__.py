"""Settings, addresses and servers: assembles the program. No other package imports from here."""
