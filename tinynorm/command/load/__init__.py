"""From a file or a notebook to the names that it defines."""
