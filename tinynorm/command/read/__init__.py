"""What names and code say: which arguments a function has, which names belong together, what is a gradient of what."""
