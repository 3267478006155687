"""The only place that knows Ray Tune: trainable, early stopping, search, launch and resume."""
