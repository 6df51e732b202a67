import numpy as np

# long
# expect contrastive_loss: right
# expect triplet_loss: right
# expect cosine_loss: right
# expect triplet_loss_v2: wrong
# expect contrastive_loss_v2: wrong


def contrastive_loss(x1, x2, y, margin=1.0):
    """y = 1 for a similar pair, 0 for a dissimilar one"""
    diff = x1 - x2
    d = np.sqrt(np.sum(diff ** 2, axis=1))
    gap = np.maximum(0, margin - d)
    loss = np.mean(0.5 * y * d ** 2 + 0.5 * (1 - y) * gap ** 2)
    g = (y - (1 - y) * gap / d)[:, None] * diff / len(y)
    return loss, g, -g


def triplet_loss(anchor, positive, negative, margin=0.5):
    dp = anchor - positive
    dn = anchor - negative
    v = (dp ** 2).sum(axis=1) - (dn ** 2).sum(axis=1) + margin
    active = (v > 0)[:, None] / len(anchor)
    loss = np.maximum(v, 0).mean()
    danchor = 2 * active * (dp - dn)
    dpositive = -2 * active * dp
    dnegative = 2 * active * dn
    return loss, danchor, dpositive, dnegative


def cosine_loss(pred, target):
    a, b = np.linalg.norm(pred, axis=1, keepdims=True), np.linalg.norm(target, axis=1, keepdims=True)
    cos = np.sum(pred * target, axis=1, keepdims=True) / (a * b)
    dpred = -(target / (a * b) - cos * pred / a ** 2) / len(pred)
    return float(np.mean(1 - cos)), dpred


def triplet_loss_v2(anchor, positive, negative, margin=0.5):
    dp, dn = anchor - positive, anchor - negative
    v = (dp ** 2).sum(1) - (dn ** 2).sum(1) + margin
    on = (v > 0)[:, None]
    loss = np.maximum(v, 0).sum()
    return loss, 2 * on * (dp - dn), -2 * on * dp, -2 * on * dn


def contrastive_loss_v2(x1, x2, y, margin=1.0):
    diff = x1 - x2
    d = np.sqrt(np.sum(diff ** 2, axis=1))
    gap = np.maximum(0, margin - d)
    loss = np.mean(0.5 * y * d ** 2 + 0.5 * (1 - y) * gap ** 2)
    dx1 = (y - (1 - y) * gap)[:, None] * diff / len(y)  # not divided by d
    dx2 = -dx1
    return loss, dx1, dx2
