"""The model that both model servers of the local stack serve: small, and with two weaknesses that can be brought out.

A file `slow` in the stack's folder has the seconds that a prediction takes longer; a file `ballast` the MiB of memory
that the process holds on to from its next prediction on.
"""

import math
import os

STATE = os.environ["STACK_STATE"]
WEIGHTS = (0.8, -0.6, 1.1)
kept = b""


def setting(name):
    try:
        with open(os.path.join(STATE, name), encoding="ascii") as file:
            return float(file.read() or 0)
    except FileNotFoundError:
        return 0.0


def delay():
    """The seconds to wait before the next prediction."""
    return setting("slow")


def predict(features):
    """The probability that a customer leaves, from three features. It fails on very large ones."""
    global kept
    wanted = int(setting("ballast") * 1024 * 1024)
    if len(kept) != wanted:
        kept = b"\1" * wanted
    return 1 / (1 + math.exp(-sum(w * x for w, x in zip(WEIGHTS, features))))
