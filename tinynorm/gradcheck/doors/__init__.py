"""The doors: what may be handed in to be checked, and the order in which a check does its work."""
