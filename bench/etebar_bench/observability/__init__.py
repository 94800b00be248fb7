"""What metrics and traces cost: the same load with and without them, in one run."""
