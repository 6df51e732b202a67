"""The names of mistakes: what a diagnosis can say, and what the mutation suite (`mistakes`) is sorted by."""

from __future__ import annotations

KINDS: dict[str, str] = {
    # any backward pass
    "constant_factor": "the gradient is a constant times the right one",
    "sign": "the gradient has the wrong sign",
    "shifted_sign": "the sign is wrong in a part of the gradient",
    "zero": "the gradient is zero",
    "transposed": "the gradient, or a factor of it, is transposed",
    "wrong_axes": "a sum or mean runs over the wrong axes",
    "not_summed": "the gradient of a broadcast input is not summed over the broadcast axes",
    "missing_accumulation": "one of several paths to an input is not added",
    "doubled_accumulation": "a path to an input is added twice",
    "off_by_one": "the gradient is shifted by one row or column",
    "some_elements": "the gradient is wrong in a few elements, rows or columns only",
    "dy_forgotten": "the incoming gradient is not multiplied in",
    "not_finite": "the gradient is NaN or infinite where it should not be",
    "constant_offset": "the gradient is off by a constant",
    # normalisation layers
    "missing_mean_term": "the term that takes out the mean of g is missing",
    "extra_mean_term": "a mean term stands in a layer that does not centre",
    "missing_x_hat_term": "the term that takes out the component of g along x_hat is missing",
    "statistics_as_constants": "the batch's own statistics are treated as constants (both projection terms are missing)",
    "constants_as_statistics": "running statistics, which are constants in eval mode, are differentiated as the batch's own",
    "gamma_forgotten": "gamma is not multiplied in",
    "extra_gamma": "gamma is multiplied in where it does not belong",
    "rstd_forgotten": "rstd is not multiplied in",
    "rstd_squared": "rstd is multiplied in twice",
    "unbiased_variance": "the variance is divided by m - 1, not by m",
    "eps_outside_root": "eps is added to the standard deviation, not to the variance inside the root",
    "eps_forgotten": "eps is left out",
    "sum_for_mean": "a sum stands where a mean belongs",
    "x_for_x_hat": "x stands where x_hat belongs",
    "x_hat_forgotten": "x_hat is not multiplied in",
    "extra_x_hat": "x_hat is multiplied in where it does not belong",
    "y_for_x_hat": "y stands where x_hat belongs",
    "term_sign": "a term has the wrong sign",
    "term_factor": "a term has a wrong factor",
    # linear
    "input_forgotten": "the input is not multiplied in",
    "weight_forgotten": "the weight is not multiplied in",
    "mean_for_sum": "a mean stands where a sum belongs",
    # ReLU
    "mask_forgotten": "the mask x > 0 is not applied",
    "mask_inverted": "the mask is that of x < 0",
    "mask_of_dy": "the mask is taken from the incoming gradient, not from x",
    "x_for_mask": "x stands where its mask belongs",
    # softmax and cross-entropy
    "target_forgotten": "the target's 1 is not subtracted",
    "wrong_target": "the target's 1 is subtracted in the wrong place",
    "batch_mean_forgotten": "the loss is a mean over the rows, and the gradient is not divided by their number",
    "sum_term_forgotten": "softmax's term - p sum(dy p) is missing",
    "extra_softmax_factor": "softmax's derivative is multiplied in once too often",
    "logits_for_probabilities": "the logits stand where the probabilities belong",
}

# Wrong behaviour, which a check sees beside the numbers.
FAULTS: dict[str, str] = {
    "mutates_dout": "backward writes into the incoming gradient",
    "mutates_input": "an input is written into",
    "mutates_output": "backward writes into the output of forward",
    "mutates_cache": "backward writes into the cache, so that a second backward differs",
    "aliases_dout": "a gradient is the memory of the incoming one",
    "aliases_input": "a gradient is the memory of an input, or of another gradient",
    "nondeterministic": "backward gives another result each time",
    "not_linear": "backward is not linear in the incoming gradient",
    "wrong_dtype": "a gradient has not the dtype of its input",
    "wrong_shape": "a gradient has not the shape of its input",
    "wrong_count": "there are more or fewer gradients than inputs",
    "returned_none": "None was returned for an input that the output depends on",
    "imprecise": "in float32 or float16 the gradient is further off than its inputs' rounding explains",
    "batch_dependent": "a row of the output depends on another row of the input",
}
