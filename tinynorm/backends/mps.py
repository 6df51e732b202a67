"""Apple's GPUs, which tinynorm does not use."""

from .cudnn import is_available

is_built = is_available
