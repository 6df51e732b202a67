"""How the code behaves: what it writes into, what it returns, and whether it gives the same results each time."""
