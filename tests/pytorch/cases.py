"""All cases that are compared with PyTorch."""

import functions
import modules

CASES = functions.CASES + modules.CASES
