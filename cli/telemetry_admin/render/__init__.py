"""Words, tables and colours for people."""
