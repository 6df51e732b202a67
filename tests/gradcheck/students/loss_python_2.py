import numpy as np

# long
# expect half_loss: right
# expect half_loss_of_ints: wrong: WRONG in dx


def half_loss(x, y):
    d = x - y
    print 'loss of', len(x)
    part = 1.0
    part /= 2
    d /= len(x)
    return part * np.sum((x - y) ** 2) / len(x), d


def half_loss_of_ints(x, y):
    part = 1
    part /= 2  # of Python 2: 0
    return part * np.sum((x - y) ** 2) / len(x), (x - y) / len(x)
