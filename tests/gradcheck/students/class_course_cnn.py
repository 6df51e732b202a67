import numpy as np

# long
# expect ConvLayer: right: right up to 1/m
# expect ConvLayerWide: wrong
# expect PixelShuffle: right
# expect PixelShuffleMixed: wrong
# expect UpBlock: not checked: missing 1 required positional argument: 'size'
# expect Softmax: not checked: `raise NotImplementedError` is all of df
# expect Identity: right
# expect PlaneConv: right
# expect PlaneConvTurned: wrong
# expect Chosen: right: activation 'sigmoid'
# expect ChosenOfOutput: wrong: activation 'relu', and wrong with activation 'sigmoid'
# expect relu: right
# expect sigmoid: right


def kernel(n_out, n_in, size):
    return np.random.randn(n_out, n_in, size, size) * np.sqrt(2.0 / (n_in * size))


class Identity:
    def f(self, x):
        return x

    def df(self, x, cached_y=None):
        return np.full(x.shape, 1)


class Softmax:
    def f(self, x):
        y = np.exp(x - np.max(x, axis=1, keepdims=True))
        return y / np.sum(y, axis=1, keepdims=True)

    def df(self, x, cached_y=None):
        raise NotImplementedError


class ConvLayer:
    """Channels last; made ready by init, with the shape of an image. The gradient of b has the axis of its channels alone."""

    def __init__(self, kernel_size, stride, n_c, padding='valid', activation=Identity()):
        self.kernel_size, self.stride, self.padding, self.activation = kernel_size, stride, padding, activation
        self.n_c, self.n_h, self.n_w = n_c, None, None
        self.w, self.b, self.pad = None, None, None
        self.cache = {}

    def init(self, input_dim):
        self.pad = 0 if self.padding == 'valid' else int((self.kernel_size - 1) / 2)
        h, w, c = input_dim
        self.n_h = int((h - self.kernel_size + 2 * self.pad) / self.stride + 1)
        self.n_w = int((w - self.kernel_size + 2 * self.pad) / self.stride + 1)
        self.w = np.random.randn(self.kernel_size, self.kernel_size, c, self.n_c)
        self.b = np.zeros((1, 1, 1, self.n_c))

    def padded(self, x):
        return np.pad(x, ((0, 0), (self.pad, self.pad), (self.pad, self.pad), (0, 0)))

    def window(self, x, i, j):
        i, j = i * self.stride, j * self.stride
        return x[:, i : i + self.kernel_size, j : j + self.kernel_size]

    def forward(self, prev, training):
        x = self.padded(prev)
        z = np.zeros((len(prev), self.n_h, self.n_w, self.n_c))
        for i in range(self.n_h):
            for j in range(self.n_w):
                z[:, i, j] = np.sum(self.window(x, i, j)[..., None] * self.w[None], axis=(1, 2, 3))
        z = z + self.b
        a = self.activation.f(z)
        if training:
            self.cache.update({'prev': prev, 'z': z, 'a': a})
        return a

    def backward(self, da):
        prev, z, a = (self.cache[key] for key in ('prev', 'z', 'a'))
        x, m = self.padded(prev), len(da)
        dx = np.zeros_like(x)
        dz = da * self.activation.df(z, cached_y=a)
        dw = np.zeros_like(self.w)
        for i in range(self.n_h):
            for j in range(self.n_w):
                one = dz[:, i, j][:, None, None, None]
                self.window(dx, i, j)[...] += np.sum(self.w[None] * one, axis=4)
                dw += self.step(self.window(x, i, j)[..., None] * one)
        inside = slice(self.pad, -self.pad if self.pad else None)
        return dx[:, inside, inside], dw / m, dz.sum(axis=(0, 1, 2)) / m

    def step(self, product):
        return np.sum(product, axis=0)


class ConvLayerWide(ConvLayer):
    def step(self, product):
        return np.sum(np.abs(product), axis=0)


class PixelShuffle:
    def __init__(self, upscale_factor):
        self.r = upscale_factor

    def forward(self, input):
        n, c, h, w = input.shape
        assert c % self.r**2 == 0
        x = input.reshape(n, c // self.r**2, self.r, self.r, h, w).transpose(0, 1, 4, 2, 5, 3)
        return x.reshape(n, c // self.r**2, h * self.r, w * self.r)

    def apart(self, x):
        return x.transpose(0, 1, 3, 5, 2, 4)

    def backward(self, grad_output, learning_rate):
        n, c, h, w = grad_output.shape
        x = self.apart(grad_output.reshape(n, c, h // self.r, self.r, w // self.r, self.r))
        return x.reshape(n, c * self.r**2, h // self.r, w // self.r)


class PixelShuffleMixed(PixelShuffle):
    def apart(self, x):
        return x.transpose(0, 1, 5, 3, 2, 4)


class UpBlock:
    """Its parameters are made with a call that fails, whatever the sizes."""

    def __init__(self, in_channels, kernel_size, padding):
        self.kernels = kernel(4 * in_channels, in_channels, kernel_size)
        self.bias = kernel((1, 1), 4 * in_channels).squeeze()
        self.padding, self.shuffle = padding, PixelShuffle(2)

    def forward(self, input):
        return self.shuffle.forward(np.einsum('oikl,nihw->nohw', self.kernels, input) + self.bias)

    def backward(self, output_grad, learning_rate):
        return self.shuffle.backward(output_grad, learning_rate)


def set_activation(kind):
    if kind == 'relu':
        return relu, relu_grad
    elif kind == 'sigmoid':
        return sigmoid, sigmoid_grad
    return (lambda z: z), (lambda z: 1)


def relu(z):
    return np.maximum(0, z)


def relu_grad(z):
    return z > 0


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_grad(z):
    return sigmoid(z) * (1 - sigmoid(z))


class Chosen:
    def __init__(self, nodes_prev, nodes_curr, activation=None):
        self.w = np.random.randn(nodes_curr, nodes_prev) * 0.1
        self.b = np.random.randn(1, nodes_curr) * 0.1
        self.g, self.dg = set_activation(activation)

    def forward_pass(self, a_prev):
        self.a_prev = a_prev
        self.z = a_prev @ self.w.T + self.b
        self.a = self.g(self.z)
        return self.a

    def slope(self):
        return self.dg(self.z)

    def back_pass(self, da):
        dz = da * self.slope()
        self.dw, self.db = dz.T @ self.a_prev, dz.sum(axis=0, keepdims=True)
        return dz @ self.w


class ChosenOfOutput(Chosen):
    """Right for the default, and for ReLU, whose slope is that at its output."""

    def slope(self):
        return self.dg(self.a)


class PlaneConv:
    """One image at a time; a bias for each pixel."""

    def __init__(self, input_shape, kernel_shape, kernel_depth):
        c, h, w = input_shape
        kh, kw = kernel_shape
        self.input_shape = input_shape
        self.kernel = np.random.randn(kernel_depth, c, kh, kw)
        self.bias = np.random.randn(kernel_depth, h - kh + 1, w - kw + 1)

    def forward(self, image):
        self.image = image
        out = self.bias.copy()
        for k, i, j in np.ndindex(*out.shape):
            out[k, i, j] += np.sum(self._patch(image, i, j) * self.kernel[k])
        return out

    def _patch(self, image, i, j):
        return image[:, i : i + self.kernel.shape[2], j : j + self.kernel.shape[3]]

    def backward(self, dout, learning_rate):
        dkernel, dimage = np.zeros(self.kernel.shape), np.zeros(self.input_shape)
        for k, i, j in np.ndindex(*dout.shape):
            dkernel[k] += dout[k, i, j] * self._patch(self.image, i, j)
            dimage[:, i : i + self.kernel.shape[2], j : j + self.kernel.shape[3]] += dout[k, i, j] * self.kernel[k]
        self.kernel -= learning_rate * dkernel
        self.bias -= learning_rate * dout
        return dimage


class PlaneConvTurned(PlaneConv):
    def backward(self, dout, learning_rate):
        dimage = PlaneConv.backward(self, dout, learning_rate)
        return dimage[:, ::-1, ::-1]
