"""What a person sees while a sweep runs: a live table on a terminal, a line per change elsewhere."""
