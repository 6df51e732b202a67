"""A file's own autograd: a class that holds an array and its gradient; each of its operations is checked as a pair."""
