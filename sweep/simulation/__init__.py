"""Sweeps on a virtual clock: recorded curves under any search, early stopping and number of workers."""
