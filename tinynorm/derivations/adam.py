"""Chapter 16: Adam, and where its bias correction comes from.

Adam divides a running average of the gradients by the root of a running average of their squares. Both averages start at 0,
and so are too small in the first steps. The correction is derived here from the sums that the averages are. One number stands
for all numbers of a parameter, and T is the number of the step.
"""

from ..creation import tensor
from ..ops import sqrt
from ..ops.common import keep_where, sum_over
from ..optim import AdamW
from .machinery.chapter import Chapter

chapter = Chapter(
    order=16,
    key="AD",
    name="adam",
    text=__doc__,
    sizes={"k": "T"},
    given={"theta": ".", "g": ".", "m": ".", "v": ".", "k": "k", "G": "k"},
    output="theta_W",
    settings={"axes": (0,), "alpha": 0.03, "beta1": 0.8, "beta2": 0.97, "eps": 1e-3, "decay": 0.017, "t": "T"},
    draw={"v": lambda rng, shape: rng.uniform(0.5, 2.0, shape)},
)


@chapter.op
def op(theta, g, m, v, alpha, beta1, beta2, eps, decay, t):
    p = theta.clone().requires_grad_()
    optimiser = AdamW([p], lr=alpha, betas=(beta1, beta2), eps=eps, weight_decay=decay)
    optimiser.state[p].update(step=tensor(t - 1.0), exp_avg=m.clone(), exp_avg_sq=v.clone())
    p.grad = g
    optimiser.step()
    return p.detach()


chapter.section("Two running averages")


@chapter.forward("AD.1", "A running average of the gradients: it moves from m towards g by the share 1 - β₁ of the way.")
def m_T(m, g, beta1):
    return beta1 * m + (1 - beta1) * g


@chapter.forward("AD.2", "The same for the squares of the gradients. It measures their size.")
def v_T(v, g, beta2):
    return beta2 * v + (1 - beta2) * (g * g)


chapter.section(
    "The average as a sum",
    "Let G_1, …, G_T be the gradients of the steps 1 to T, and m be 0 before the first. For v, read G² and β₂.",
)


@chapter.forward("AD.3", "The weight that G_k has after T steps: 1 - β₁ when it arrives, times β₁ in each step after that.")
def w(k, beta1, t):
    return (1 - beta1) * beta1 ** (t - k)


@chapter.forward("AD.4", "The average as a sum over the steps.")
def M(w, G, axes):
    return sum_over(w * G, axes)


@chapter.forward("AD.5", "The average one step earlier: it ends at T - 1, and each weight has one factor β₁ less.")
def L(w, G, k, beta1, t, axes):
    return sum_over(keep_where(t > k, w * G), axes) / beta1


@chapter.forward("AD.6", "The last gradient.")
def z(G, k, t, axes):
    return sum_over(keep_where(k > t - 1, G), axes)


def _term_by_term(difference):
    """The term k = T of both sides, and the terms k < T."""
    from .machinery.proof import at_the_last_and_before

    return at_the_last_and_before(difference, "k", "T")


@chapter.rewriting("AD.7", "The sum satisfies AD.1: it is the average that Adam keeps.", proof=_term_by_term)
def M(L, z, beta1):
    return beta1 * L + (1 - beta1) * z


chapter.section("The sum of the weights")


@chapter.forward("AD.8", "A weighted mean has weights whose sum is 1. Here it is W.")
def W(w, axes):
    return sum_over(w, axes)


@chapter.rewriting("AD.9", "Multiply out AD.3. Each weight is the difference of two neighbouring powers.")
def W(k, beta1, t, axes):
    return sum_over(beta1 ** (t - k) - beta1 ** (t - k + 1), axes)


def _geometric_sum(difference):
    from .machinery.proof import with_geometric_sums

    return with_geometric_sums(difference)


@chapter.rewriting(
    "AD.10",
    "All but the first and the last power cancel. β₁^T is the weight that stays with the initial 0.",
    proof=_geometric_sum,
)
def W(beta1, t):
    return 1 - beta1**t


chapter.section("The bias correction", "Dividing the average by W makes it a weighted mean of the gradients seen so far.")


@chapter.forward("AD.11", "The weights after the division.")
def u(w, beta1, t):
    return w / (1 - beta1**t)


@chapter.forward("AD.12", "Their sum.")
def U(u, axes):
    return sum_over(u, axes)


@chapter.rewriting("AD.13", "It is W divided by its other form.")
def U(W, beta1, t):
    return W / (1 - beta1**t)


@chapter.rewriting(
    "AD.14", "By AD.10 it is 1, for every T: if all gradients are equal, the mean is that gradient.", proof=_geometric_sum
)
def U():
    return 1


@chapter.forward("AD.15", "The corrected average of the gradients.")
def m_hat(m_T, beta1, t):
    return m_T / (1 - beta1**t)


@chapter.forward("AD.16", "The corrected average of their squares.")
def v_hat(v_T, beta2, t):
    return v_T / (1 - beta2**t)


chapter.section("The step")


@chapter.forward("AD.17", "The root of the mean square is as large as a typical gradient.")
def q(v_hat):
    return sqrt(v_hat)


@chapter.forward("AD.18", "The step is α times m̂ in units of that size. ε keeps it finite where all gradients were 0.")
def theta_T(theta, m_hat, q, alpha, eps):
    return theta - alpha * m_hat / (q + eps)


def _root_of_a_ratio(difference):
    """For a positive v_T (an average of squares) and 1 - β₂^T."""
    from .machinery.proof import number, single, size, with_positive

    return with_positive(difference, single("v_T"), 1 - number("beta2") ** size("T"))


@chapter.rewriting(
    "AD.19", "The root of AD.16 is the root of its numerator divided by that of its denominator.", proof=_root_of_a_ratio
)
def q(v_T, beta2, t):
    return sqrt(v_T) / (1 - beta2**t) ** 0.5


@chapter.forward(
    "AD.20", "Multiply numerator and denominator in AD.18 by the root of 1 - β₂^T. In the numerator it joins the constants."
)
def alpha_T(alpha, beta1, beta2, t):
    return alpha * (1 - beta2**t) ** 0.5 / (1 - beta1**t)


@chapter.forward("AD.21", "In the denominator it joins ε.")
def eps_T(eps, beta2, t):
    return eps * (1 - beta2**t) ** 0.5


@chapter.rewriting(
    "AD.22",
    "So both corrections are two numbers per step, and the arrays need none. This is the line that runs.",
    proof=_root_of_a_ratio,
)
def theta_T(theta, m_T, v_T, alpha_T, eps_T):
    return theta - alpha_T * (m_T / (sqrt(v_T) + eps_T))


chapter.section("The first step has the length α", "At T = 1 the averages before the step are 0. Take ε = 0.")


@chapter.forward("AD.23", "AD.1 with m = 0, corrected with T = 1.")
def m_first(g, beta1):
    return (1 - beta1) * g / (1 - beta1)


@chapter.rewriting("AD.24", "It is the gradient itself.")
def m_first(g):
    return g


@chapter.forward("AD.25", "AD.2 with v = 0, corrected with T = 1.")
def v_first(g, beta2):
    return (1 - beta2) * (g * g) / (1 - beta2)


@chapter.rewriting("AD.26", "It is the square of the gradient.")
def v_first(g):
    return g * g


@chapter.forward("AD.27", "The square of the first step.")
def S(m_first, v_first, alpha):
    return (alpha * m_first / sqrt(v_first)) ** 2


@chapter.rewriting("AD.28", "The gradient cancels. However large the loss is scaled, each parameter first moves by α.")
def S(alpha):
    return alpha**2


@chapter.table("Without the correction the first steps are too long", "T", "1 - β₁^T", "1 - β₂^T", "times too long")
def without_correction():
    """The step with both corrections left out, divided by the step with them, for the usual β₁ = 0.9, β₂ = 0.999 and ε = 0."""
    return [(T, *_too_long(1 - 0.9**T, 1 - 0.999**T)) for T in (1, 10, 100, 1000, 10000)]


def _too_long(W1, W2):
    return f"{W1:.4f}", f"{W2:.4f}", f"{W1 / W2**0.5:.2f}"


chapter.section("Weight decay: inside the average or outside it")


@chapter.forward("AD.29", "Adam's weight_decay adds λ θ to the gradient, as in SG.1.")
def h(g, theta, decay):
    return g + decay * theta


@chapter.forward("AD.30", "The average then holds the decay too.")
def m_D(m, h, beta1):
    return beta1 * m + (1 - beta1) * h


@chapter.rewriting("AD.31", "AD.18 divides all of it by √v̂: where gradients are large, there is hardly any decay.")
def m_D(m_T, theta, beta1, decay):
    return m_T + (1 - beta1) * decay * theta


@chapter.forward("AD.32", "AdamW leaves the decay out of the averages. It shrinks θ and then takes the step AD.18.")
def theta_W(theta, m_hat, q, alpha, eps, decay):
    return (1 - alpha * decay) * theta - alpha * m_hat / (q + eps)


@chapter.rewriting("AD.33", "So each parameter decays by the same share α λ, whatever its gradients are.")
def theta_W(theta_T, theta, alpha, decay):
    return theta_T - alpha * decay * theta
