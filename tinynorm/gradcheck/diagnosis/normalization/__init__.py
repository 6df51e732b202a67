"""What is wrong with the backward pass of a normalisation layer: the terms of its formula, fitted to the gradient."""
