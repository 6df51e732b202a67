"""Chapter 15: SGD, momentum and Nesterov's look-ahead.

Gradient descent subtracts from each parameter θ its gradient g times the learning rate η. Momentum replaces g by a sum b over
all steps so far, in which older gradients count less. All numbers of a parameter are treated alike, so one number stands for
them here. The lines have no loss and no adjoints: they say what a step does, and why two ways to write it are the same.
"""

from ..ops.common import keep_where, sum_over
from ..optim import SGD
from .machinery.chapter import Chapter

chapter = Chapter(
    order=15,
    key="SG",
    name="sgd",
    text=__doc__,
    sizes={"k": "T"},
    given={"theta": ".", "g": ".", "b": ".", "k": "k", "G": "k"},
    output="theta_N",
    settings={"axes": (0,), "lr": 0.07, "mu": 0.8, "decay": 0.013, "t": "T"},
)


@chapter.op
def op(theta, g, b, lr, mu, decay):
    p = theta.clone().requires_grad_()
    optimiser = SGD([p], lr=lr, momentum=mu, weight_decay=decay, nesterov=True)
    optimiser.state[p]["momentum_buffer"] = b.clone()
    p.grad = g
    optimiser.step()
    return p.detach()


chapter.section("Weight decay")


@chapter.forward("SG.1", "λ θ is the derivative of λ θ² / 2: the loss grows with the square of each parameter.")
def h(g, theta, decay):
    return g + decay * theta


@chapter.forward("SG.2", "The parameter after one step without momentum.")
def theta_D(theta, h, lr):
    return theta - lr * h


@chapter.rewriting("SG.3", "The step first shrinks θ by a constant factor, whatever g is. Hence the name.")
def theta_D(theta, g, lr, decay):
    return (1 - lr * decay) * theta - lr * g


chapter.section("Momentum")


@chapter.forward("SG.4", "The sum b keeps the share μ of what it was, and the new gradient is added.")
def b_1(b, h, mu):
    return mu * b + h


@chapter.forward("SG.5", "The parameter after one step with momentum.")
def theta_M(theta, b_1, lr):
    return theta - lr * b_1


chapter.section("What momentum adds up", "Let G_1, …, G_T be the gradients of the first T steps. Before the first, b is 0.")


@chapter.forward("SG.6", "The gradient of step k has been multiplied by μ in each of the T - k steps after it.")
def B(G, k, mu, t, axes):
    return sum_over(mu ** (t - k) * G, axes)


@chapter.forward("SG.7", "The same sum, one step earlier: it ends at T - 1.")
def C(G, k, mu, t, axes):
    return sum_over(keep_where(t > k, mu ** (t - 1 - k) * G), axes)


@chapter.forward("SG.8", "The last gradient.")
def z(G, k, t, axes):
    return sum_over(keep_where(k > t - 1, G), axes)


def _term_by_term(difference):
    """The term k = T of both sides, and the terms k < T."""
    from .machinery.proof import at_the_last_and_before

    return at_the_last_and_before(difference, "k", "T")


@chapter.rewriting("SG.9", "The sum satisfies SG.4: μ times the earlier sum, and the last gradient.", proof=_term_by_term)
def B(C, z, mu):
    return mu * C + z


@chapter.forward("SG.10", "The weights add up to this.")
def W(k, mu, t, axes):
    return sum_over(mu ** (t - k), axes)


@chapter.rewriting("SG.11", "Multiply and divide by 1 - μ. Each term of the sum is now a difference of two neighbours.")
def W(k, mu, t, axes):
    return sum_over(mu ** (t - k) - mu ** (t - k + 1), axes) / (1 - mu)


def _geometric_sum(difference):
    from .machinery.proof import with_geometric_sums

    return with_geometric_sums(difference)


@chapter.rewriting(
    "SG.12",
    "All but the first and the last cancel. If g is constant, the step grows towards η g / (1 - μ): tenfold for μ = 0.9.",
    proof=_geometric_sum,
)
def W(mu, t):
    return (1 - mu**t) / (1 - mu)


chapter.section(
    "Nesterov's look-ahead",
    "Nesterov's method has a position x and a velocity v. It takes the gradient where the velocity is about to carry it: at "
    "x + μ v. The optimiser stores that point as θ, because the network computes g at the parameters it is given.",
)


@chapter.forward("SG.13", "The velocity: b is v divided by -η. So a change of η acts at once.")
def v(b, lr):
    return -lr * b


@chapter.forward("SG.14", "The position, when θ is the point ahead of it.")
def x(theta, v, mu):
    return theta - mu * v


@chapter.forward("SG.15", "The new velocity, with the gradient at the point ahead.")
def v_1(v, h, mu, lr):
    return mu * v - lr * h


@chapter.rewriting("SG.16", "It is -η times the new b: the sum is the same as without look-ahead.")
def v_1(b_1, lr):
    return -lr * b_1


@chapter.rewriting("SG.17", "Momentum without look-ahead moves θ by this velocity (SG.5).")
def theta_M(theta, v_1):
    return theta + v_1


@chapter.forward("SG.18", "The new position.")
def x_1(x, v_1):
    return x + v_1


@chapter.forward("SG.19", "The next point ahead. The optimiser stores it.")
def theta_N(x_1, v_1, mu):
    return x_1 + mu * v_1


@chapter.rewriting("SG.20", "Insert SG.18 and SG.14. The new velocity counts 1 + μ times, the old one is taken back.")
def theta_N(theta, v, v_1, mu):
    return theta - mu * v + (1 + mu) * v_1


@chapter.rewriting("SG.21", "By SG.15, one v₁ and -μ v leave -η h. SG.16 gives the other. x and v are no longer needed.")
def theta_N(theta, h, b_1, lr, mu):
    return theta - lr * h - lr * mu * b_1


@chapter.rewriting("SG.22", "Factor out η. This is the line that runs.")
def theta_N(theta, h, b_1, lr, mu):
    return theta - lr * (h + mu * b_1)
