"""Losses of word vectors: words are numbers, and an object draws others."""

# expect softmax_loss_and_gradient: right
# expect negative_loss_and_gradient: right
# expect negative_loss_and_gradient_once: wrong: doutsideVectors
# expect skip: right
import numpy as np


def softmax_loss_and_gradient(centerVec, outsideIdx, outsideVectors, dataset):
    e = np.exp(outsideVectors @ centerVec)
    p = e / e.sum()
    loss = -np.log(p[outsideIdx])
    p[outsideIdx] -= 1
    return loss, p @ outsideVectors, np.outer(p, centerVec)


def others(outsideIdx, dataset, K):
    found = []
    while len(found) < K:
        word = dataset.sampleWord()
        if word != outsideIdx:
            found.append(word)
    return found


def negative_loss_and_gradient(centerVec, outsideIdx, outsideVectors, dataset, K=4):
    gradCenter, gradOutside, loss = np.zeros_like(centerVec), np.zeros_like(outsideVectors), 0
    for word in [outsideIdx] + others(outsideIdx, dataset, K):
        sign = 1 if word == outsideIdx else -1
        s = 1 / (1 + np.exp(-sign * outsideVectors[word] @ centerVec))
        loss -= np.log(s)
        gradCenter += sign * (s - 1) * outsideVectors[word]
        gradOutside[word] += sign * (s - 1) * centerVec
    return loss, gradCenter, gradOutside


def negative_loss_and_gradient_once(centerVec, outsideIdx, outsideVectors, dataset, K=4):
    words = [outsideIdx] + others(outsideIdx, dataset, K)
    gradCenter, gradOutside, loss = np.zeros_like(centerVec), np.zeros_like(outsideVectors), 0
    for word in words:
        sign = 1 if word == outsideIdx else -1
        s = 1 / (1 + np.exp(-sign * outsideVectors[word] @ centerVec))
        loss -= np.log(s)
        gradCenter += sign * (s - 1) * outsideVectors[word]
        gradOutside[word] = sign * (s - 1) * centerVec
    return loss, gradCenter, gradOutside


def skip(word, window, around, number, centerVectors, outsideVectors, dataset, lossAndGradient=softmax_loss_and_gradient):
    gradCenter, gradOutside, loss = np.zeros_like(centerVectors), np.zeros_like(outsideVectors), 0
    for other in around:
        one, dc, do = lossAndGradient(centerVectors[number[word]], number[other], outsideVectors, dataset)
        loss += one
        gradCenter[number[word]] += dc
        gradOutside += do
    return loss, gradCenter, gradOutside
