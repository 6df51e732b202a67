"""What makes a chapter more than text: its equations as trees, their notation, their checks and their proofs."""
