"""What is done with the output of an op next, so that the op may do it too."""

from __future__ import annotations

import threading


class _Next(threading.local):
    """A kernel that ends with a ReLU, if that is what comes next, sets this to False; see `nn.joined`."""

    relu = False


next_op = _Next()
