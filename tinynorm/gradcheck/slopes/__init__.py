"""How a derivative is measured: finite differences along elements and directions, the rounding in them, and kinks."""
