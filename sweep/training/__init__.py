"""One trial's training, evaluation and checkpoint. Knows torch, and neither Ray nor where results go."""
