"""What is checked: somebody's function, its inputs and its gradients, called in one way whatever they are made of."""
