"""What to try: hyper-parameters, their domains, search spaces and the study files that name them (no torch, no ray)."""
