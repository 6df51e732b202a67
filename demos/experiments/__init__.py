"""The experiments of `bn_vs_ln.py`: a file each, with its question, its runs and its verdict."""
