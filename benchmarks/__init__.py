"""Side-by-side measurements, each one command: `python -m benchmarks.NAME`. `make bench` runs all of them small."""
