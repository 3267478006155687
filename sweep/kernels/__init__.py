"""Loops over numpy arrays, compiled for the CPU they run on. Nothing here knows of torch."""
