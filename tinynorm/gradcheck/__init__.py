"""Gradient checks that say what is wrong."""
