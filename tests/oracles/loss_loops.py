"""The losses of classes a second time, as loops over pixels in numpy."""

import math

import numpy as np

from gridgen.data import IGNORE


def labelled(ids):
    """The places of the pixels that count."""
    return [place for place in np.ndindex(ids.shape) if ids[place] != IGNORE]


def probabilities(logits, place):
    """Softmax over the classes at one pixel."""
    image, *where = place
    scores = [float(score) for score in logits[(image, slice(None), *where)]]
    powers = [math.exp(score - max(scores)) for score in scores]
    return [power / sum(powers) for power in powers]


def wanted(label, number, classes, smoothing):
    """The share of a class in a smoothed label."""
    return (1 - smoothing) * (number == label) + smoothing / classes


def cross_entropy(logits, ids, weights, smoothing):
    classes = logits.shape[1]
    total = counted = 0.0
    for place in labelled(ids):
        chances = probabilities(logits, place)
        for number in range(classes):
            share = wanted(ids[place], number, classes, smoothing)
            total -= weights[number] * share * math.log(chances[number])
        counted += weights[ids[place]]
    return total / counted if counted else 0.0


def focal(logits, ids, weights, smoothing, gamma=2.0):
    classes = logits.shape[1]
    total = counted = 0.0
    for place in labelled(ids):
        chances = probabilities(logits, place)
        for number in range(classes):
            chance, share = chances[number], wanted(ids[place], number, classes, smoothing)
            # What is not there adds nothing, and rounding may bring 1 - p below 0.
            doubt = max(1 - chance, 0.0) ** gamma
            total -= weights[number] * share * doubt * math.log(chance)
        counted += weights[ids[place]]
    return total / counted if counted else 0.0


def dice(logits, ids, weights, smoothing):
    classes = logits.shape[1]
    total = counted = 0.0
    for number in range(classes):
        common = squares = 0.0
        occurs = False
        for place in labelled(ids):
            chance = probabilities(logits, place)[number]
            share = wanted(ids[place], number, classes, smoothing)
            common += chance * share
            squares += chance**2 + share**2
            occurs = occurs or ids[place] == number
        if occurs:
            total += weights[number] * (1 - 2 * common / squares)
            counted += weights[number]
    return total / counted if counted else 0.0


LOOPS = {"cross-entropy": cross_entropy, "focal": focal, "dice": dice}
