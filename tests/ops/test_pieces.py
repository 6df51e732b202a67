"""Parts, repetitions and turned tensors; products by name; what is scattered and counted: views, copies, and refusals."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.nn import functional as F


def numbers(*shape, device="cpu", **options):
    return tn.arange(int(np.prod(shape)), device=device).reshape(*shape).to(**{"dtype": tn.float64} | options)


# ---- views and copies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        lambda x: x.split(2)[1], lambda x: x.split([1, 3], dim=1)[1], lambda x: x.chunk(2, 1)[0], lambda x: x.unbind(1)[2],
        lambda x: tn.meshgrid(x[0], x[:, 0], indexing="ij")[0],
    ],
)  # fmt: skip
def test_parts_are_views(part, anywhere):
    x = numbers(3, 4, device=anywhere)
    y = part(x)
    with tn.no_grad():
        x.fill_(7)
    assert (y == 7).all()
    version = y._version_
    assert version is x._version_ is not None


@pytest.mark.parametrize(
    "copy",
    [
        lambda x: x.repeat(1, 1), lambda x: x.repeat(2, 1), lambda x: x.tile(1), lambda x: x.flip(1), lambda x: x.flip(()),
        lambda x: x.tril(9), lambda x: x.triu(-9), lambda x: x.index_select(0, tn.arange(3, device=x.device)),
        lambda x: x.scatter(0, tn.zeros(1, 1, dtype=tn.int64, device=x.device), 0.0), lambda x: tn.einsum("ij->ij", x * 1),
    ],
)  # fmt: skip
def test_what_is_repeated_turned_or_chosen_is_a_copy(copy, anywhere):
    x = numbers(3, 4, device=anywhere)
    y = copy(x)
    before = y.tolist()
    x.fill_(-1)
    assert y.tolist() == before


def test_sizes_of_parts():
    x = tn.arange(7)
    assert [p.shape[0] for p in x.split(3)] == [3, 3, 1]
    assert [p.shape[0] for p in x.split(9)] == [7]
    assert [p.shape[0] for p in x.split([0, 7])] == [0, 7]
    assert [p.shape[0] for p in x.chunk(4)] == [2, 2, 2, 1]
    assert [p.shape[0] for p in x.chunk(5)] == [2, 2, 2, 1]  # 4 parts, as in PyTorch
    assert [p.shape[0] for p in x.chunk(9)] == [1] * 7
    assert [p.shape for p in tn.zeros(2, 0).chunk(3, 1)] == [(2, 0)] * 3
    assert [p.shape for p in tn.zeros(2, 0).split(0, 1)] == [(2, 0)]
    assert tn.zeros(0, 2).unbind() == ()


@pytest.mark.parametrize("k", [-3, -1, 0, 2, 9])
@pytest.mark.parametrize("name", ["tril", "triu"])
def test_triangles_select_and_keep_the_dtype(name, k, anywhere):
    for array in (np.full((2, 3, 4), np.nan), np.ones((3, 3), bool), np.arange(12, dtype=np.int32).reshape(4, 3)):
        y = getattr(tn, name)(tn.tensor(array, device=anywhere), diagonal=k)
        np.testing.assert_array_equal(y.cpu().numpy(), getattr(np, name)(array, k))
        assert y.cpu().numpy().dtype == array.dtype


def test_meshgrid_takes_numbers_and_swaps_the_first_two():
    x, y = tn.meshgrid(tn.tensor(1), tn.arange(3), indexing="ij")
    assert (x.tolist(), y.tolist()) == ([[1, 1, 1]], [[0, 1, 2]])
    vectors = np.arange(2), np.arange(3), np.arange(4)
    for indexing in ("ij", "xy"):
        for ours, numpys in zip(
            tn.meshgrid([tn.tensor(v) for v in vectors], indexing=indexing),
            np.meshgrid(*vectors, indexing=indexing),
            strict=True,
        ):
            np.testing.assert_array_equal(ours.numpy(), numpys)


def test_a_loop_may_start_with_an_empty_vector():
    rows = tn.tensor([])
    for i in range(3):
        rows = tn.cat([rows, tn.full((1, 2), i)])
    assert (rows.tolist(), rows.dtype) == ([[0, 0], [1, 1], [2, 2]], tn.float32)  # its dtype counts, as in PyTorch
    assert tn.cat([tn.ones(2, 3), tn.tensor([])], 1).shape == (2, 3)
    assert tn.cat([tn.tensor([]), tn.tensor([])]).shape == tn.cat([tn.tensor([]), tn.tensor([])], 1).shape == (0,)
    with pytest.raises(RuntimeError, match=r"cat: expected shapes that are equal except in dim 0"):
        tn.cat([tn.zeros(0, 1), tn.zeros(2, 3)])


# ---- products ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "a", "b", "says"),
    [
        ("mm", (2, 3), (3,), r"mm: expected shapes \(n, k\) @ \(k, m\), got \(2, 3\) @ \(3,\); matmul takes all ranks"),
        ("mm", (2, 3), (4, 2), r"mm: expected shapes \(n, k\) @ \(k, m\), got \(2, 3\) @ \(4, 2\)"),
        ("mv", (2, 3), (3, 1), r"mv: expected shapes \(n, k\) @ \(k,\), got"),
        ("dot", (3,), (4,), r"dot: expected shapes \(k,\) @ \(k,\), got \(3,\) @ \(4,\)$"),
        ("dot", (3, 1), (3,), "dot: expected shapes"),
        ("bmm", (2, 3, 4), (3, 4, 2), r"bmm: expected shapes \(b, n, k\) @ \(b, k, m\)"),
        ("bmm", (3, 4), (3, 4, 2), "bmm: expected shapes"),
        ("outer", (2, 1), (3,), r"outer: expected two vectors, got shapes \(2, 1\) and \(3,\)"),
    ],
)
def test_a_product_by_name_takes_its_ranks_only(name, a, b, says):
    for call in (getattr(tn, name), lambda x, y: getattr(x, name)(y)):
        with pytest.raises(RuntimeError, match=says):
            call(tn.ones(*a), tn.ones(*b))


@pytest.mark.parametrize(
    ("equation", "shapes", "says"),
    [
        ("ij,jk->ik", [(2, 3), (4, 4)], "letter 'j' has sizes 3 and 4"),
        ("ij,jk->il", [(2, 3), (3, 4)], "expected letters, and in the result each only once and from the operands"),
        ("ij->ii", [(2, 3)], "in the result each only once"),
        ("i1->i", [(2, 3)], "expected letters"),
        ("ijk,jk->ik", [(2, 3), (3, 4)], r"has 'ijk' for an operand of shape \(2, 3\)"),
        ("i,jk->ik", [(2, 3), (3, 4)], r"has 'i' for an operand of shape \(2, 3\)"),
        ("ij->ij", [(2, 3), (2,)], "has 1 operands, got 2"),
    ],
)
def test_einsum_says_what_does_not_fit(equation, shapes, says):
    with pytest.raises(RuntimeError, match=f"einsum: '{equation}'.*{says}".replace(">", "[>]")):
        tn.einsum(equation, *[tn.ones(*shape) for shape in shapes])


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,ij->i", [(2, 1), (2, 3)]), ("ab,ab", [(1, 3), (2, 3)]),
        ("ij,j->", [(0, 3), (3,)]), ("ij,jk->ik", [(2, 0), (0, 3)]), ("...a,a...->...", [(2, 3), (3, 2)]),
        ("aab,abb->ab", [(2, 2, 3), (2, 3, 3)]),
        ("zy", [(2, 3)]),
    ],
)  # fmt: skip
def test_einsum_is_numpys(equation, shapes, anywhere):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    y = tn.einsum(equation, [tn.tensor(a, device=anywhere) for a in arrays])
    np.testing.assert_allclose(y.cpu().numpy(), np.einsum(equation, *arrays), rtol=1e-12)


def test_einsum_is_one_product_and_each_gradient_one():
    a, b = numbers(2, 3).requires_grad_(), numbers(3, 4).requires_grad_()
    y = tn.einsum("ij,jk->ki", a, b)
    assert [edge[0].op_name for edge in y.grad_fn.edges] == ["Einsum"]
    (da,) = tn.autograd.grad(y.sum(), a)
    np.testing.assert_array_equal(da.numpy(), np.broadcast_to(b.detach().numpy().sum(1), (2, 3)))


def test_einsum_accumulates_float16_in_float32_and_promotes():
    ones = tn.ones(4096, dtype="float16")
    assert tn.einsum("i,i->", ones, ones).item() == 4096  # in float16, 2048 + 1 is 2048
    assert tn.einsum("i->", ones).item() == 4096
    assert tn.einsum("i,i->i", tn.ones(2), tn.ones(2, dtype="float64")).dtype == tn.float64
    assert tn.einsum("ij->", tn.ones(2, 3, dtype=tn.int64)).item() == 6


# ---- places -----------------------------------------------------------------------------------------------------------

PLACES = tn.tensor([[0], [2]])


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda x: x.scatter_(1, tn.tensor([[0], [3]]), 1.0), IndexError, "scatter_: expected indices from 0 to 2 .* got 3"),
        (lambda x: x.scatter_(1, tn.tensor([[0], [-1]]), 1.0), IndexError, "expected indices from 0 to 2 .* got -1"),
        (lambda x: x.scatter_(1, tn.tensor([0, 1]), 1.0), RuntimeError, "expected an index of 2 dimensions, as x has"),
        (lambda x: x.scatter_(1, tn.tensor([[0.0]]), 1.0), TypeError, "expected an index of an integer dtype, got float32"),
        (lambda x: x.scatter_(1, [[0]], 1.0), TypeError, "expected an index of an integer dtype, got list"),
        (lambda x: x.scatter_(1, tn.zeros(3, 1).long(), 1.0), RuntimeError, "at most x's sizes .* beside dimension 1"),
        (lambda x: x.scatter_(1, PLACES), TypeError, "expected either src, a tensor, or value, a number"),
        (lambda x: x.scatter_(1, PLACES, 1.0, value=2.0), TypeError, "expected either src"),
        (lambda x: x.scatter_(1, PLACES, tn.ones(2, 1).long()), RuntimeError, "src in the dtype of x, float32, got int64"),
        (lambda x: x.scatter_(1, PLACES, tn.ones(1, 1)), RuntimeError, r"as long as the index, \(2, 1\), got \(1, 1\)"),
        (lambda x: x.scatter_(1, PLACES, [[1.0], [2.0]]), TypeError, "expected src to be a Tensor, got list"),
        (lambda x: x.scatter_add_(1, PLACES, 1.0), TypeError, "scatter_add_: expected src to be a Tensor, got float"),
        (lambda x: x.scatter_(2, PLACES, 1.0), IndexError, "scatter_: dim 2 is out of range"),
        (lambda x: x.index_select(1, tn.tensor([-1])), IndexError, "index_select: expected indices from 0 to 2 .* got -1"),
        (lambda x: x.index_select(1, tn.tensor([3])), IndexError, "expected indices from 0 to 2 .* got 3"),
        (lambda x: x.index_select(1, tn.tensor([[1]])), IndexError, r"to be a vector, got shape \(1, 1\)"),
        (lambda x: x.index_select(1, tn.tensor([1.0])), TypeError, "of an integer dtype, got float32"),
        (lambda x: x[0, 0].index_select(0, tn.tensor([0, 0])), IndexError, r"to have one element, .*, got shape \(2,\)"),
        (lambda x: x.bincount(), RuntimeError, r"bincount: expected a vector of integers .* got float32 of shape \(2, 3\)"),
        (lambda x: tn.tensor([1, -2]).bincount(), RuntimeError, r"not negative, got int64 of shape \(2,\) from -2"),
        (lambda x: tn.tensor([1, 2]).bincount(tn.ones(3)), RuntimeError, r"a weight for each of the 2 .*, got shape \(3,\)"),
        (lambda x: F.one_hot(x), RuntimeError, r"one_hot: expected class indices of int64, got float32; use .long\(\)"),
        (lambda x: F.one_hot(tn.tensor([0, 3]), 3), RuntimeError, "expected class indices from 0 to 2, got 0 to 3"),
        (lambda x: F.one_hot(tn.tensor([0, -3])), RuntimeError, "got -3 to 0"),
        (lambda x: F.one_hot(tn.tensor([]).long()), RuntimeError, "expected num_classes for a tensor without elements"),
        (lambda x: x.split([1, 1], 1), RuntimeError, r"split: .* a sum of 3, the length of dim 1, got \[1, 1\]"),
        (lambda x: x.split([4, -1], 1), RuntimeError, "split: expected sizes with a sum of 3"),
        (lambda x: x.split(0), RuntimeError, "split: expected a size of at least 1, got 0"),
        (lambda x: x.chunk(0), RuntimeError, "chunk: expected at least 1 chunk, got 0"),
        (lambda x: x.chunk(2, 5), IndexError, "chunk: dim 5 is out of range"),
        (lambda x: x.repeat(2), RuntimeError, r"repeat: expected at least 2 numbers .* shape \(2, 3\), got \(2,\)"),
        (lambda x: x.repeat(2, -1), RuntimeError, "repeat: expected at least 2 numbers that are not negative"),
        (lambda x: x.flip(0, -2), ValueError, "flip: dim .* names a dimension twice"),
        (lambda x: x[0].tril(), RuntimeError, r"tril: expected a tensor of at least 2 dimensions, got shape \(3,\)"),
        (lambda x: tn.meshgrid(x, indexing="ij"), RuntimeError, r"meshgrid: .* vectors of one dtype, got float32 \(2, 3\)"),
        (lambda x: tn.meshgrid(x[0], PLACES[0]), RuntimeError, r"got float32 \(3,\), int64 \(1,\)"),
        (lambda x: tn.meshgrid(x[0], indexing="yx"), RuntimeError, "expected indexing to be 'ij' or 'xy', got 'yx'"),
        (lambda x: x.size(5), IndexError, "size: dim 5 is out of range: a tensor of 2 dimensions has dims -2 to 1"),
        (lambda x: x.stride(-3), IndexError, "stride: dim -3 is out of range"),
    ],
)  # fmt: skip
def test_what_has_no_place_is_refused_and_nothing_changes(call, error, says):
    x = tn.zeros(2, 3)
    with pytest.raises(error, match=says):
        call(x)
    assert not x.any()


def test_what_is_scattered_to_one_place_stays_or_is_added(anywhere):
    at = tn.tensor([[1, 1, 0], [2, 2, 2]], device=anywhere)
    v = tn.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], device=anywhere, requires_grad=True)
    x = tn.ones(2, 3, device=anywhere, requires_grad=True)
    y = x.scatter(1, at, v)
    assert y.tolist() == [[3, 2, 1], [1, 1, 6]]
    y.sum().backward()
    assert v.grad.tolist() == [[0, 1, 1], [0, 0, 1]]  # only of what stays
    assert x.grad.tolist() == [[0, 0, 1], [1, 1, 0]]
    z = (x * 1).scatter_add_(1, at, v)
    assert z.tolist() == [[4, 4, 1], [1, 1, 16]]
    v.grad = None
    z.sum().backward()
    assert v.grad.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_a_source_may_be_longer_than_the_index():
    v = tn.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = tn.zeros(2, 3).scatter_(1, PLACES, v)
    assert y.tolist() == [[1, 0, 0], [0, 0, 3]]
    y.sum().backward()
    assert v.grad.tolist() == [[1, 0], [1, 0]]


def test_a_leaf_that_requires_grad_is_not_scattered_into():
    x = tn.zeros(2, 3, requires_grad=True)
    for change in (lambda: x.scatter_(1, PLACES, 1.0), lambda: x.scatter_add_(1, PLACES, tn.ones(2, 1))):
        with pytest.raises(RuntimeError, match="leaf"):
            change()


def test_counts(anywhere):
    x = tn.tensor([3, 0, 3, 3], device=anywhere)
    assert (x.bincount().tolist(), x.bincount().dtype) == ([1, 0, 0, 3], tn.int64)
    assert x.bincount(minlength=6).tolist() == [1, 0, 0, 3, 0, 0]
    assert x[:0].bincount(minlength=2).tolist() == [0, 0]
    weights = tn.tensor([0.5, 1.0, 2.0, 4.0], device=anywhere)
    assert (x.bincount(weights).tolist(), x.bincount(weights).dtype) == ([1, 0, 0, 6.5], tn.float32)
    assert x.bincount(weights.long()).dtype == tn.float64
    many = tn.zeros(20_000_000, dtype=tn.int64)
    assert many.bincount().tolist() == [20_000_000]  # float32 has no such number beyond 2**24


def test_one_hot_of_any_shape(anywhere):
    x = tn.tensor([[0, 2], [1, 1]], device=anywhere)
    assert F.one_hot(x).tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]]]
    assert F.one_hot(x, num_classes=5).shape == (2, 2, 5)
    assert (F.one_hot(x[0, 1]).tolist(), F.one_hot(x).device.type) == ([0, 0, 1], anywhere)


# ---- what Python makes of tensors ---------------------------------------------------------------------------------------


def test_a_list_is_repeated_by_an_integer_in_a_tensor():
    n = tn.tensor(3)
    assert [0] * n == n * [0] == [0, 0, 0]
    assert (1, 2) * tn.tensor([2]) == (1, 2, 1, 2)
    assert (tn.tensor([1.0, 2.0]) * [3, 4]).tolist() == [3, 8]  # NumPy's meaning, where PyTorch has none


def test_a_list_is_no_element():
    with pytest.raises(RuntimeError, match="in: expected a number or a Tensor, got list"):
        [1] in tn.tensor([1])  # noqa: B015
    assert 1 in tn.tensor([1])


def test_strides_and_sizes():
    x = tn.zeros(2, 3, 4)
    assert (x.stride(), x.stride(0), x.stride(-1), x.mT.stride()) == ((12, 4, 1), 12, 1, (12, 1, 4))
    assert (x.nelement(), x.size(-1), x.is_sparse) == (24, 4, False)


# ---- by PyTorch's names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by_name", "expected"),
    [
        (lambda x: tn.reshape(input=x, shape=(3, 2)), (3, 2)), (lambda x: x.reshape(shape=(6,)), (6,)),
        (lambda x: x.view(size=(3, -1)), (3, 2)), (lambda x: tn.flatten(input=x, start_dim=0, end_dim=1), (6,)),
        (lambda x: tn.permute(input=x, dims=(1, 0)), (3, 2)), (lambda x: x.permute(dims=[1, 0]), (3, 2)),
        (lambda x: tn.transpose(input=x, dim0=0, dim1=1), (3, 2)), (lambda x: tn.t(input=x), (3, 2)),
        (lambda x: x.expand(size=(4, 2, 3)), (4, 2, 3)), (lambda x: tn.broadcast_to(input=x, size=(1, 2, 3)), (1, 2, 3)),
        (lambda x: tn.squeeze(input=x[None], dim=0), (2, 3)), (lambda x: tn.unsqueeze(input=x, dim=2), (2, 3, 1)),
        (lambda x: x.repeat(repeats=(2, 1)), (4, 3)), (lambda x: tn.tile(input=x, dims=(2,)), (2, 6)),
        (lambda x: tn.flip(input=x, dims=(0,)), (2, 3)),
        (lambda x: tn.split(tensor=x, split_size_or_sections=1, dim=1)[0], (2, 1)),
        (lambda x: tn.chunk(input=x, chunks=3, dim=1)[0], (2, 1)), (lambda x: tn.unbind(input=x, axis=1)[0], (2,)),
        (lambda x: tn.matmul(input=x, other=x.T), (2, 2)), (lambda x: tn.mm(input=x, mat2=x.T), (2, 2)),
        (lambda x: tn.mv(input=x, vec=x[0]), (2,)), (lambda x: tn.dot(input=x[0], tensor=x[1]), ()),
        (lambda x: tn.outer(input=x[0], vec2=x[1]), (3, 3)), (lambda x: tn.bmm(input=x[None], mat2=x.T[None]), (1, 2, 2)),
        (lambda x: tn.gather(input=x, dim=1, index=PLACES), (2, 1)), (lambda x: tn.clone(input=x, memory_format=None), (2, 3)),
        (lambda x: tn.take_along_dim(input=x, indices=PLACES, dim=1), (2, 1)),
        (lambda x: tn.take_along_dim(input=x, indices=PLACES), (2,)),
        (lambda x: tn.index_select(input=x, dim=1, index=PLACES[0]), (2, 1)),
        (lambda x: tn.scatter(input=x, dim=1, index=PLACES, src=x), (2, 3)),
        (lambda x: tn.scatter_add(input=x, dim=1, index=PLACES, src=x), (2, 3)),
        (lambda x: tn.tril(input=x, diagonal=1), (2, 3)), (lambda x: tn.zeros_like(input=x, memory_format=None), (2, 3)),
        (lambda x: tn.full_like(input=x, fill_value=2, dtype=tn.int64), (2, 3)),
        (lambda x: tn.cat(tensors=[x, x], dim=0), (4, 3)),
        (lambda x: tn.rand_like(input=x, dtype=tn.float64), (2, 3)),
        (lambda x: tn.randint_like(input=x, low=1, high=3), (2, 3)),
        (lambda x: tn.multinomial(input=x + 1, num_samples=2, replacement=True), (2, 2)),
        (lambda x: x.to(device="cpu", non_blocking=True, memory_format=None), (2, 3)), (lambda x: tn.meshgrid(x[0])[0], (3,)),
        (lambda x: F.one_hot(input=x.long(), num_classes=6), (2, 3, 6)), (lambda x: x.new_zeros(4, dtype=tn.int64), (4,)),
        (lambda x: tn.bincount(input=x[0].long(), weights=x[0], minlength=7), (7,)),
        (lambda x: x.contiguous(memory_format=None), (2, 3)),
    ],
)  # fmt: skip
def test_arguments_have_pytorchs_names(by_name, expected):
    assert by_name(tn.arange(6.0).reshape(2, 3)).shape == expected


@pytest.mark.parametrize("name", ["reshape", "view", "permute", "expand", "repeat", "tile", "flip"])
def test_a_size_that_is_no_integer_is_refused(name):
    for given in ((2.0, 3), ((2.0, 3),), ("a",), (None, 2)):
        with pytest.raises(TypeError, match=f"{name}: expected integers, separately or in one tuple or list, got"):
            getattr(tn.zeros(2, 3), name)(*given)


NONE = 5  # a number, where a tensor is expected


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda x: x[5], IndexError, r"index: expected indices from -2 to 1 .* size 2, got 5; the shape is \(2, 3\)"),
        (lambda x: x[:, 7], IndexError, "index: expected indices from -3 to 2 for a dimension of size 3, got 7"),
        (lambda x: x[tn.tensor([0, 5])], IndexError, "index: expected indices from -2 to 1 .* got 5"),
        (lambda x: x[[0, 5]], IndexError, "index: expected indices from -2 to 1 .* got 5"),
        (lambda x: x[0, 0, 0], IndexError, r"index: expected at most 2 indices, got 3; the shape is \(2, 3\)"),
        (lambda x: x[0][0][0], IndexError, r"index: expected at most 0 indices, got 1; the shape is \(\)"),
        (lambda x: x[tn.tensor([True, False, True])], IndexError, r"index: .*; the shape is \(2, 3\)"),
        (lambda x: x.__setitem__(5, 0), IndexError, "index: expected indices from -2 to 1 .* got 5"),
        (lambda x: x.__setitem__((0, 0, 0), 0), IndexError, "index: expected at most 2 indices, got 3"),
        (lambda x: x.view(7), RuntimeError, "^view: expected sizes with a product of 6"),
        (lambda x: x.gather(1, [0]), TypeError, "gather: expected indices of an integer dtype, got list"),
        (lambda x: tn.take_along_dim(x, NONE), TypeError, "take_along_dim: expected indices of an integer dtype, got int"),
        (lambda x: tn.cat([x, NONE]), TypeError, "cat: expected a Tensor, got int"),
        (lambda x: tn.cat(NONE), TypeError, "cat: expected a Tensor, got int"),
        (lambda x: tn.stack([x, None]), TypeError, "stack: expected a Tensor, got NoneType"),
        (lambda x: tn.mm(x, None), TypeError, "mm: expected a Tensor, got NoneType"),
        (lambda x: tn.outer([1], [2]), TypeError, "outer: expected a Tensor, got list"),
        (lambda x: tn.einsum("ij", NONE), TypeError, "einsum: expected a Tensor, got int"),
        (lambda x: tn.einsum(x, "ij"), TypeError, "einsum: expected the equation first, such as 'ij,jk->ik', got Tensor"),
        (lambda x: tn.tril(NONE), TypeError, "tril: expected a Tensor, got int"),
        (lambda x: tn.meshgrid(1, 2), TypeError, "meshgrid: expected a Tensor, got int"),
        (lambda x: x.tril("a"), TypeError, "tril: expected integers"),
        (lambda x: x.split("a"), TypeError, "split: expected integers"),
        (lambda x: x.split([1.5, 1.5], 1), TypeError, "split: expected integers"),
        (lambda x: x.chunk(1.5), TypeError, "chunk: expected integers"),
        (lambda x: tn.broadcast_to(x, "a"), TypeError, "broadcast_to: expected integers"),
        (lambda x: tn.arange("a"), TypeError, "arange: expected a number, got str"),
        (lambda x: tn.arange(x), TypeError, "arange: expected a number, got Tensor"),
        (lambda x: tn.linspace(0, 1, 2.5), TypeError, r"linspace: expected steps to be an integer, got 2\.5"),
        (lambda x: tn.eye(-1), RuntimeError, r"eye: expected sizes that are not negative, got \(-1, -1\)"),
        (lambda x: tn.eye(2.5), TypeError, "eye: expected the sizes as integers"),
        (lambda x: tn.full((2,), [1, 2]), TypeError, "full: expected a number, got list"),
        (lambda x: tn.full((2,), "a"), TypeError, "full: expected a number, got str"),
        (lambda x: tn.tensor([[1, 2], [3]]), ValueError, "nested lists of equal lengths, got some of different lengths$"),
        (lambda x: tn.randint("a", (2,)), TypeError, "randint: expected high to be an integer, got 'a'"),
        (lambda x: tn.randperm(-1), RuntimeError, "randperm: expected a number that is not negative, got -1"),
        (lambda x: tn.randperm(2.5), TypeError, r"randperm: expected n to be an integer, got 2\.5"),
        (lambda x: tn.normal("a", 1, (2,)), TypeError, "normal: expected mean and std as numbers or Tensors, got str"),
        (lambda x: tn.normal(tn.ones(2), tn.ones(3)), RuntimeError, r"normal: .* one shape, got \(2,\) and \(3,\)"),
        (lambda x: tn.multinomial([0.5], 1), TypeError, "multinomial: expected a Tensor, got list"),
        (lambda x: tn.multinomial(x, 1.5), TypeError, r"multinomial: expected num_samples to be an integer, got 1\.5"),
        (lambda x: x.normal_(0, -1), RuntimeError, "normal_: expected a standard deviation that is not negative, got -1"),
        (lambda x: x.uniform_(1, 0), RuntimeError, "uniform_: expected bounds in order, got 1 and 0"),
        *[
            (lambda x, dtype=dtype: x.to(dtype), TypeError, "expected a dtype such as tinynorm.float32, .*got ")
            for dtype in (-1, "U1", "foo", "complex64", "datetime64", "torch.FooTensor")
        ],
    ],
)  # fmt: skip
def test_errors_are_in_our_words(call, error, says):
    with pytest.raises(error, match=says):
        call(tn.ones(2, 3))
