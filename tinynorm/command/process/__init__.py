"""A process of its own for each file: what starts it, what it does, what limits it, and what it may not change."""
