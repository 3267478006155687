"""Where a sweep runs: connecting to Ray and checking that what is asked for is there."""
