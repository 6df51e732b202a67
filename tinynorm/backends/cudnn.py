"""Settings of cuDNN, which tinynorm does not use."""

enabled, benchmark, deterministic = False, False, True


def is_available() -> bool:
    """False.

    >>> is_available()
    False
    """
    return False
