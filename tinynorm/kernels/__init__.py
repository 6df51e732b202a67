"""The formulas' inner loops, faster. Every kernel gives what the formula gives; without one, the formula runs."""
