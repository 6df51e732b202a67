from __future__ import division
import numpy as np


def windows(n, size):
    return [range(i, i + size) for i in xrange(n - size + 1)]


def report(name, value):
    print '%s: %.3f' % (name, value)


def share(rows):
    return 1 / rows
