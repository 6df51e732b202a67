"""A captured step through convolutions and pooling against the step as it is, bit for bit."""

import pytest
from test_zoo import compare

import tinynorm as tn
from tinynorm import nn, optim

LAYERS = {
    "convolution": lambda: nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2),
    "same": lambda: nn.Conv2d(2, 3, 4, padding="same", dilation=2, bias=False),
    "reflect": lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"),
    "largest": lambda: nn.MaxPool2d(3, 2, 1, ceil_mode=True),
    "means": lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "adaptive means": lambda: nn.AdaptiveAvgPool2d((3, None)),
    "local response": lambda: nn.LocalResponseNorm(2),
}


def check(net, *shapes):
    """A network trained on inputs of these shapes, by turns; a shape is recorded when it is met for the third time."""
    data = [(tn.randn(*shapes[i % len(shapes)]),) for i in range(5 * len(shapes))]

    def make():
        tn.manual_seed(5)
        model = net()
        optimizer = optim.SGD(model.parameters(), 0.01, momentum=0.9)

        def step(x):
            optimizer.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            optimizer.step()
            return loss

        return model, optimizer, step

    compare(make, data, 2 * len(shapes))


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_images(name):
    """A convolution stands below the layer, so that its gradient goes on to a parameter."""
    check(lambda: nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), LAYERS[name]()), (4, 2, 6, 6), (3, 2, 7, 5))


def test_a_convolution_of_signals():
    check(lambda: nn.Conv1d(2, 3, 3), (4, 2, 9), (2, 9))


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_a_small_convolutional_network(kernels):
    def net():
        first = [nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(*first, nn.Conv2d(4, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))

    with tn.kernels.use(kernels):
        check(net, (5, 1, 8, 8))
