"""The public functions check_...: what they accept, and the order in which a check does its work."""
