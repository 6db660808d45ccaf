"""Limits: how many tasks of a queue, and of each of its groups, may run at a time."""
