"""What was found, made into docs/performance.md and its appendix."""
