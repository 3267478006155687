"""The `sweep` command: one file a command."""
