"""Classes: how a layer is found and made, where it keeps parameters and gradients, and how its methods are called."""
