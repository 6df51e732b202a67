"""What PyTorch programs set or ask of the libraries below them: it is taken, and changes nothing. Every op is deterministic."""

from . import cudnn, mps

__all__ = ["cudnn", "mps"]
