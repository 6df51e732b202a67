"""How the code behaves: what it writes into, what it hands back, and whether it gives the same results each time."""
