"""Functions that belong together: how they are found, which inputs are drawn for them, and how they are called."""
