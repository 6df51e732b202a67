"""What an argument is, by its name: its kind says which shapes and values it may have."""

from __future__ import annotations

import re
from typing import Any

NAMES = {
    "x": "x inp input inputs a z h u v q k data features scores logits score logit act acts image images img feat pred preds "
    "predicted y_predicted ypredicted y_prediction "
    "prediction predictions y_pred ypred y_hat yhat y_prob probs query key value xb "
    "a_prev prev_a aprev x_prev output out xt x_t xs al p_hat signal vec vector arr array tensor sequence",
    "hidden": "prev_h h_prev hprev prev_c c_prev h0 c0 a0 s0 h_0 c_0 a_0 hidden prev_hidden hidden_prev h_init state hx cx",
    "weight": "w weight weights wx w_x wxh w_xh wax wih w_ih w_i2h theta kernel kernels filter filters w_embed embedding "
    "wxi wxf wxo wxg wxc wxz wxr wxn wix wfx wox wgx wcx wzx wrx wnx w_xi w_xf w_xo w_xg w_xc w_xz w_xr w_xn",
    "output_weight": "wya w_ya why w_hy wy w_y who",
    "output_bias": "by b_y",
    "gate_weight": "wf wi wc wo wg wu wz wr wn w_n w_f w_i w_c w_o w_g w_u w_z w_r",
    "second_weight": "w2 weight2 w_2 theta2",
    "third_weight": "w3 weight3 w_3",
    "fourth_weight": "w4 weight4 w_4 theta4",
    "fifth_weight": "w5 weight5 w_5 theta5",
    "recurrent": "wh w_h whh w_hh waa w_aa w_h2h whi whf whg whc whz whr whn wfh woh wgh wch wzh wrh wnh w_hi w_hf w_hg w_hc "
    "w_hz w_hr w_hn uf ui uc uo ug uu uz ur uh un u_n u_f u_i u_c u_o u_g u_z u_r u_h",
    "bias": "offset intercept "
    "b bias biases bh b_h ba b_a bx b_x bf bi bc bo bg bu bz br bn b_f b_i b_c b_o b_g b_u b_z b_r b_n bih bhh "
    "b_ih b_hh bir biz bin bhr bhz bhn brx brh bzx bzh bnx bnh bq bk bv",
    "second_bias": "b2 bias2 b_2",
    "third_bias": "b3 bias3 b_3",
    "fourth_bias": "b4 bias4 b_4",
    "fifth_bias": "b5 bias5 b_5",
    "affine": "gamma beta scale shift g gain gains",
    "square_weight": "wq wk wv w_q w_k w_v",
    "packed_weight": "wqkv w_qkv qkv_w qkv_weight c_attn c_attn_w",
    "packed_bias": "bqkv b_qkv qkv_b qkv_bias c_attn_b",
    "mean": "running_mean moving_mean mean mu",
    "variance": "running_var moving_var running_variance moving_variance var variance",
    "target": "y t target targets label labels y_true ytrue y_truth truth gt ground_truth yb y_onehot y_one_hot onehot one_hot",
    "mask": "mask cond condition",
    "graph": "adj adjacency adj_matrix adjacency_matrix laplacian",
    "index": "idx index indices ids tokens token words",
    "shape": "normalized_shape",
}
KIND = {name: kind for kind, names in NAMES.items() for name in names.split()}
# Words in the names of a loss's targets, as x_original; elsewhere they may be anything.
OF_TARGETS = re.compile("(^|_)(true|target|targets|label|labels|actual|original|expected|desired|truth|gold)(_|$)")
COUNT = re.compile("size|num|count|window|length", re.IGNORECASE)  # in the names of whole numbers
STATE = re.compile("^[hcs](?![a-z])|^[hcs]t|[_a-z][hcs]$|prev|last|state|cell|hidden")  # in the names of a cell's states
PARAMETERS = (*(kind for kind in NAMES if kind.endswith(("weight", "bias"))), "recurrent", "affine")
NORMS = {"mean", "variance", "settings"}  # kinds of what a norm takes
# Kinds that need no gradient: backward may return None for them.
CONSTANT = ("mean", "variance", "target", "mask", "index", "graph")
PROBABILITIES = {"p", "outputs", "prob", "probs", "y_pred", "ypred", "y_hat", "yhat", "pred", "preds", "predictions", "output"}
REGULARISED = (
    *("reg", "lambd", "lambda_", "lam", "lamda", "lmbda", "lamb", "l2", "l2_reg", "reg_strength", "weight_decay", "wd"),
    *("reg_lambda", "lambda_reg", "reg_param", "reg_coeff", "reg_coef"),
)
VALUES: tuple[tuple[str, Any], ...] = (
    ("eps epsilon", 1e-5),
    ("G num_groups groups n_groups stride pool_size pool_height pool_width f", 2),
    ("pad padding seed", 1),
    # Neither 0 nor 1: a forgotten factor or term shows.
    (" ".join(REGULARISED), 0.7),
    ("margin delta temperature threshold", 0.7),
    ("alpha slope negative_slope", 0.1),
    ("p rate prob p_drop p_dropout keep keepprob keep_prob keep_rate ratio dropout dropout_p dropout_prob dropout_rate", 0.4),
    ("drop_prob drop_rate drop_ratio dropout_ratio", 0.4),
    ("num_heads n_heads heads n_head nhead kernel_size", 3),
    ("axis dim", -1),
    ("train_flg train_flag is_train train_mode training train is_training", True),
    ("activation nonlinearity", "relu"),
    ("kernel_shape pool_shape window_shape", (2, 2)),
    ("momentum", 0.9),
    ("mode", "train"),
)
NUMBERS = {name: value for names, value in VALUES for name in names.split()}
RATES = ("lr", "learning_rate", "eta", "alpha", "learningrate")  # of a backward that makes a step itself
LEARNED = ("alpha", "slope", "negative_slope", "temperature", "margin", "delta")  # numbers that may have a gradient
ELSE = {"max": "avg", "mean": "sum", "sum": "mean"}  # the other word, where the code has an `else` for it
IN_SETTINGS = "mode eps momentum p seed stride pad padding f pool_height pool_width pool_size kernel_size keep_prob num_groups"
SETTINGS = {name: NUMBERS[name] for name in IN_SETTINGS.split()}  # the dict bn_param, conv_param ...
# Words in the names of losses, beside loss and cost.
WORDS = """nll ce bce mse mae sse rmse kl kld hinge huber cosh nce infonce entropy crossentropy likelihood divergence objective
    criterion energy risk"""
NAMED = frozenset(WORDS.split())
# Names of the number of samples, in what is divided by it.
SAMPLES = {"m", "n", "batch", "batch_size", "batchsize", "bs", "n_samples", "num_samples", "samples", "num_examples", "m_train"}
LOSSES = ("loss", "cost", "mse", "mae", "entropy", "error")
LINEAR = ("affine", "linear", "conv", "dense", "fc")  # whose weight is a matrix, also before a batch norm


def number_for(name: str) -> Any:
    """Return the number that an argument is drawn as; 1 for one that is a number by its use alone."""
    return NUMBERS.get(name, NUMBERS.get(plain(name), 1))


def other_number(default: float, name: str = "") -> float:
    """Return a number to try in place of a default: a factor of 1, or a term of 0, that is forgotten shows with it only.

    A higher temperature: a lower one makes probabilities so small that a guard, as in log(p + 1e-8), is a mistake.
    """
    if type(default) is int and default > 1:  # scale=2 counts something
        return default + 1
    return default / 0.7 if "temp" in name and default else 0.7 * default or 0.3


def kind_of(name: str, function: str = "") -> str:
    """Return the kind of an argument of a function called so; "" for an unknown name."""
    low = plain(name)
    if name in NUMBERS or low in NUMBERS:
        return "number"
    if low.endswith(("param", "params", "config", "parameters")):
        return "settings"
    if low.endswith(("_mask", "_ids", "idx", "_index", "_indices")):
        return "mask" if low.endswith("mask") else "index"
    shorter = [low, low.rstrip("0123456789").rstrip("_"), re.sub(f"_?({'|'.join(LINEAR)})_?", "", low)]  # h0_b, w_conv
    shorter += [re.sub("_(f|b|fwd|bwd|forward|backward)$|_?(data|train|dev|batch)_?", "", low)]  # Wx_fwd, datax, x_train
    kind = next((KIND[short] for short in shorter if short in KIND), "")
    of_loss = not kind and has_word(function, *LOSSES) and not COUNT.search(low)
    if "onehot" in low.replace("_", "") or (of_loss and OF_TARGETS.search(low)):
        return "target"
    if kind in ("weight", "bias") and has_word(function, "norm", "bn", "ln", "gn") and not has_word(function, *LINEAR):
        return "affine"
    if kind in ("mean", "variance") and has_word(function, "loss", "kl", "nll", "gauss", "elbo", "vae"):  # one for each row
        return "x"
    return "index" if kind == "x" and has_word(function, "embed") else kind


def kinds_of(names: list[str], function: str = "") -> list[str]:
    """Return the kinds of all arguments of a function. What one is may depend on the others."""
    kinds, low = {name: kind_of(name, function) for name in names}, {plain(name): name for name in names}
    if has_word(function, "cofi", "collab", "rating"):  # which ratings there are
        kinds |= {low[name]: "mask" for name in "r" if name in low}
    for name in [n for n in low if f"{n}_hat" in low]:  # a and a_hat of a loss
        kinds |= {low[name]: "target", low[f"{name}_hat"]: "x"}
    targets = [name for name, kind in kinds.items() if kind == "target"]
    if "x" not in kinds.values() and targets:  # cross_entropy(y, p)
        kinds |= {low[name]: "x" for name in PROBABILITIES if kinds.get(low.get(name, "")) == "number"}
    unknown = [name for name, kind in kinds.items() if not kind and not COUNT.search(name)]
    of_loss = has_word(function, *LOSSES) or NAMED & {*function.lower().split("_")}
    if unknown and targets and of_loss and not {"x", *PARAMETERS} & {*kinds.values()}:
        kinds[unknown[0]] = "x"  # x_reconstructed, beside x_original
    if has_word(function, "conv") and list(kinds.values()).count("x") > 1:  # K of a kernel
        kinds |= {low["k"]: "weight"} if "k" in low else {}
    alone = len(targets) == 1 and set(kinds.values()) <= {"target", "number"}
    if alone or (len(targets) > 1 and "x" not in kinds.values()):  # y and t: y is what the network says
        kinds[low.get("y", targets[0])] = "x"
    for name in [name for name, kind in list(kinds.items())[1:] if kind == "x" and len(name) == 1]:  # a or k, of x and a slope
        kinds |= {name: "affine" if has_word(function, "prelu") else f"any {name}"} if has_word(function, "relu", "elu") else {}
    if has_word(function, "conv") and "weight" not in kinds.values() and "k" in list(low)[1:]:  # conv2d(img, K)
        kinds[low["k"]] = "weight"
    if {"square_weight", "packed_weight"} & set(kinds.values()):  # Wo is attention's, not that of a gate
        kinds |= {low[name]: "square_weight" for name in ("wo", "w_o", "wout", "w_out", "wproj", "w_proj") if name in low}
    if {"wxo", "w_xo"} & set(low):  # of an output gate
        kinds |= {low[name]: "recurrent" for name in ("who", "w_ho") if name in low}
    for wh, uh in (("wh", "uh"), ("w_h", "u_h")):  # of a GRU whose matrices for x are W, and U those for h
        kinds |= {low[wh]: "gate_weight"} if {wh, uh} <= set(low) else {}
    states = [name for name, kind in kinds.items() if kind == "hidden"]
    if len(states) == 1 and "second_weight" in kinds.values() and not {"x", "recurrent"} & {*kinds.values()}:
        kinds[states[0]] = "x"  # a0 of a network is its input
    if not {"recurrent", "gate_weight", "hidden"} & set(kinds.values()) and not has_word(function, *RECURRENT):
        others = {"q", "k", "query", "key", "s", "u"} & set(low)
        alone = len(kinds) > 1 and not others  # then v is a matrix, mostly
        return [f"any {name}" if alone and plain(name) in ("v", "value") else kind for name, kind in kinds.items()]
    here = {"h": "hidden", "a_prev": "hidden", "c": "hidden", "s": "hidden", "u": "recurrent", "v": "output_weight"}
    if {"u", "w", "v"} <= set(low):
        here |= {"u": "weight", "w": "recurrent", "c": "output_bias"}
    kinds |= {low[name]: kind for name, kind in here.items() if name in low}
    if {"recurrent", "gate_weight"} & {*kinds.values()}:  # then what else there is, is a state: h_in, ct_1, last_h
        kinds |= {name: "hidden" for name, kind in kinds.items() if not kind and STATE.search(name)}
    found = list(kinds.values())
    if "recurrent" in found:  # Wf is for x only, beside Uf for h
        found = ["weight" if kind == "gate_weight" else kind for kind in found]
    if "gate_weight" in found or found.count("weight") > 1:  # a matrix for each gate
        found = [f"part_{kind}" if kind in ("weight", "recurrent", "bias") else kind for kind in found]
    return found


def plain(name: str) -> str:
    return name.rsplit(".", 1)[-1].lower().strip("_")  # w of layers[0].W


def has_word(function: str, *words: str) -> bool:
    """Whether a function's name contains one of these words (a word of two letters must stand alone, as in bn_forward)."""
    parts = function.lower().split("_")
    return any(word in parts if len(word) < 3 else word in function.lower() for word in words)


RECURRENT = ("rnn", "lstm", "gru", "recurrent")
CELL = {"hidden", "recurrent", "gate_weight", "part_weight", "part_recurrent"}  # the kinds that show a recurrent cell
