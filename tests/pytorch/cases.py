"""All cases that are compared with PyTorch."""

import activations
import arrays
import convolutions
import losses
import modules
import names
import normalizations
import recurrent
import second_derivatives
import tensors

CASES = [
    *arrays.CASES,
    *names.CASES,
    *tensors.CASES,
    *activations.CASES,
    *normalizations.CASES,
    *losses.CASES,
    *second_derivatives.CASES,
    *modules.CASES,
    *convolutions.CASES,
    *recurrent.CASES,
]
