# long
# expect Conv1d_stride1: right
# expect Conv1d: right
# expect Downsample1d: right
# expect Upsample1d: right
# expect Upsample1dWrong: wrong: WRONG
# expect Conv1dWrong: wrong: WRONG
import numpy as np


class Conv1d_stride1:
    def __init__(self, in_channels, out_channels, kernel_size, weight_init_fn=None, bias_init_fn=None):
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        if weight_init_fn is None:
            self.W = np.random.normal(0, 1.0, (out_channels, in_channels, kernel_size))
        else:
            self.W = weight_init_fn(out_channels, in_channels, kernel_size)
        self.b = np.zeros(out_channels) if bias_init_fn is None else bias_init_fn(out_channels)
        self.dLdW, self.dLdb = np.zeros(self.W.shape), np.zeros(self.b.shape)

    def forward(self, A):
        self.A = A
        size = A.shape[2] - self.kernel_size + 1
        Z = np.stack([np.einsum("bck,ock->bo", A[:, :, i : i + self.kernel_size], self.W) for i in range(size)], axis=2)
        return Z + self.b[:, None]

    def backward(self, dLdZ):
        K, size = self.kernel_size, dLdZ.shape[2]
        for k in range(K):
            self.dLdW[:, :, k] = np.einsum("bol,bcl->oc", dLdZ, self.A[:, :, k : k + size])
        self.dLdb = dLdZ.sum(axis=(0, 2))
        padded = np.pad(dLdZ, ((0, 0), (0, 0), (K - 1, K - 1)))
        dLdA = np.zeros(self.A.shape)
        for i in range(self.A.shape[2]):
            dLdA[:, :, i] = np.einsum("bok,ock->bc", padded[:, :, i : i + K], self.flipped())
        return dLdA

    def flipped(self):
        return self.W[:, :, ::-1]


class Conv1dWrong(Conv1d_stride1):
    """The kernel is not turned round."""

    def flipped(self):
        return self.W


class Downsample1d:
    def __init__(self, downsampling_factor):
        self.downsampling_factor = downsampling_factor

    def forward(self, A):
        self.W_in = A.shape[2]
        return A[:, :, :: self.downsampling_factor]

    def backward(self, dLdZ):
        dLdA = np.zeros((*dLdZ.shape[:2], self.W_in))
        dLdA[:, :, :: self.downsampling_factor] = dLdZ
        return dLdA


class Upsample1d:
    def __init__(self, upsampling_factor):
        self.upsampling_factor = upsampling_factor

    def forward(self, A):
        k = self.upsampling_factor
        Z = np.zeros((*A.shape[:2], k * (A.shape[2] - 1) + 1))
        Z[:, :, ::k] = A
        return Z

    def backward(self, dLdZ):
        return dLdZ[:, :, :: self.upsampling_factor].copy()


class Upsample1dWrong(Upsample1d):
    def backward(self, dLdZ):
        return dLdZ[:, :, : (dLdZ.shape[2] - 1) // self.upsampling_factor + 1].copy()


class Conv1d:
    def __init__(self, in_channels, out_channels, kernel_size, stride, padding=0):
        self.stride, self.pad = stride, padding
        self.conv1d_stride1 = Conv1d_stride1(in_channels, out_channels, kernel_size)
        self.downsample1d = Downsample1d(stride)

    def forward(self, A):
        A = np.pad(A, ((0, 0), (0, 0), (self.pad, self.pad)))
        return self.downsample1d.forward(self.conv1d_stride1.forward(A))

    def backward(self, dLdZ):
        dLdA = self.conv1d_stride1.backward(self.downsample1d.backward(dLdZ))
        return dLdA[:, :, self.pad : dLdA.shape[2] - self.pad]
