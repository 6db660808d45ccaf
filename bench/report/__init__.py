"""What was found, made into docs/performance.md."""
