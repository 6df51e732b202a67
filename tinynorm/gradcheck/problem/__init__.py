"""What is checked: a function, its inputs and its gradients, called in one way for plain arrays and for Tensors."""
