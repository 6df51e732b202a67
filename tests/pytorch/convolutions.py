"""Convolution, pooling and local response normalisation: each case written once, `lib` is torch, or tinynorm."""

from __future__ import annotations

from typing import Any

from case import Cases, constant, normal, say, shape_name, values
from modules import Build, forward

CASES = Cases()
add = CASES.add

# x, weight, and the settings
SIGNALS: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 8), (4, 3, 3), {}),
    ((3, 8), (4, 3, 3), {"padding": 1}),
    ((2, 4, 9), (6, 2, 2), {"groups": 2, "stride": 3}),
    ((2, 3, 9), (3, 1, 3), {"groups": 3, "padding": "same", "dilation": 2}),
    ((1, 2, 7), (2, 2, 4), {"padding": "same"}),
    ((1, 2, 7), (2, 2, 1), {"padding": "valid"}),
    ((2, 1, 6), (1, 1, 6), {}),
]
IMAGES: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 5, 6), (4, 3, 3, 3), {}),
    ((2, 3, 5, 6), (4, 3, 2, 3), {"padding": (1, 2)}),
    ((3, 5, 6), (4, 3, 3, 2), {"padding": "same"}),
    ((2, 4, 7, 6), (6, 2, 3, 2), {"groups": 2, "stride": (2, 1), "padding": 1}),
    ((2, 4, 6, 7), (8, 1, 2, 2), {"groups": 4, "dilation": (2, 3)}),
    ((3, 4, 5, 5), (2, 4, 1, 1), {}),
    ((3, 4, 5, 5), (2, 4, 1, 1), {"stride": 2, "padding": 1}),
    ((1, 1, 6, 6), (1, 1, 4, 4), {"padding": "same", "dilation": 1}),
    ((2, 2, 8, 3), (2, 2, 3, 3), {"stride": 3, "padding": 2, "dilation": 2}),
    ((1, 16, 9, 9), (8, 16, 3, 3), {"padding": 1}),
]
for name, cases in (("conv1d", SIGNALS), ("conv2d", IMAGES)):
    for x, W, options in cases:
        for bias in (True, False):
            add(
                f"{name} {shape_name(x)} {shape_name(W)}{say(options)}{'' if bias else ' no bias'}",
                lambda lib, x, weight, b=None, name=name, options=options: getattr(lib.nn.functional, name)(
                    x, weight, b, **options
                ),
                x=normal(*x), weight=normal(*W), **({"b": normal(W[0])} if bias else {}),
            )  # fmt: skip

MAX: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 4, 6), {"kernel_size": 2}),
    ((3, 5, 6), {"kernel_size": (3, 2), "stride": 1}),
    ((2, 2, 5, 7), {"kernel_size": 3, "stride": 2, "padding": 1}),
    ((2, 2, 5, 7), {"kernel_size": 2, "stride": 2, "ceil_mode": True}),
    ((1, 2, 8, 8), {"kernel_size": 2, "dilation": (2, 3), "stride": (2, 1)}),
    ((1, 1, 6, 6), {"kernel_size": 3, "stride": 4, "padding": 1, "ceil_mode": True}),
]
for shape, options in MAX:
    add(f"max_pool2d {shape_name(shape)}{say(options)}",
        lambda lib, x, options=options: lib.nn.functional.max_pool2d(x, **options), x=normal(*shape))  # fmt: skip
    add(f"max_pool2d indices {shape_name(shape)}{say(options)}",
        lambda lib, x, options=options: dict(
            zip("yi", lib.nn.functional.max_pool2d(x, return_indices=True, **options), strict=True)),
        x=normal(*shape))  # fmt: skip
NAN, INF = float("nan"), float("inf")
add("max_pool2d ties", lambda lib, x: lib.nn.functional.max_pool2d(x, 2, 1),
    x=values([[[1.0, 1.0, 2.0], [1.0, 0.0, 2.0], [2.0, 2.0, 2.0]]]))  # fmt: skip
add("max_pool2d NaN and infinity", lambda lib, x: lib.nn.functional.max_pool2d(x, 2, 1),
    x=values([[[NAN, 1.0, -INF, -INF], [1.0, NAN, -INF, -INF], [INF, 2.0, 2.0, NAN]]]))  # fmt: skip
add("max_pool2d of integers", lambda lib, x: lib.nn.functional.max_pool2d(x, 2, padding=1),
    x=values([[[-1, -5, -2], [-3, -4, -7], [-9, -6, -8]]]))  # fmt: skip

MEAN: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 4, 6), {"kernel_size": 2}),
    ((3, 5, 6), {"kernel_size": (3, 2), "stride": 1}),
    ((2, 2, 5, 7), {"kernel_size": 3, "stride": 2, "padding": 1}),
    ((2, 2, 5, 7), {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
    ((2, 2, 5, 7), {"kernel_size": 2, "stride": 2, "ceil_mode": True}),
    ((1, 2, 6, 6), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    ((1, 1, 6, 6), {"kernel_size": 3, "stride": 4, "padding": 1, "ceil_mode": True, "count_include_pad": False}),
    ((1, 2, 4, 4), {"kernel_size": 2, "divisor_override": 3}),
]
for shape, options in MEAN:
    add(f"avg_pool2d {shape_name(shape)}{say(options)}",
        lambda lib, x, options=options: lib.nn.functional.avg_pool2d(x, **options), x=normal(*shape))  # fmt: skip
for shape, size in [((2, 3, 4, 6), 1), ((2, 3, 5, 7), (3, 2)), ((3, 4, 5), (None, 3)), ((1, 2, 3, 3), 5)]:
    add(f"adaptive_avg_pool2d {shape_name(shape)} {size}",
        lambda lib, x, size=size: lib.nn.functional.adaptive_avg_pool2d(x, size), x=normal(*shape))  # fmt: skip
for shape, settings in [((2, 5, 4), (3,)), ((2, 4, 2, 3), (2, 0.5, 0.75, 1.5)), ((1, 3, 2, 1, 2), (7, 1.0, 0.5, 2.0))]:
    add(f"local_response_norm {shape_name(shape)} {settings}",
        lambda lib, x, settings=settings: lib.nn.functional.local_response_norm(x, *settings), x=normal(*shape))  # fmt: skip

LAYERS: list[tuple[str, Build, tuple[int, ...], tuple[int, ...] | None]] = [
    ("Conv1d", lambda nn: nn.Conv1d(3, 4, 3, padding=1), (2, 3, 7), (4, 3, 3)),
    ("Conv1d circular", lambda nn: nn.Conv1d(3, 4, 3, padding=2, padding_mode="circular"), (2, 3, 7), (4, 3, 3)),
    ("Conv2d", lambda nn: nn.Conv2d(3, 4, (3, 2), stride=(1, 2)), (2, 3, 5, 6), (4, 3, 3, 2)),
    ("Conv2d same", lambda nn: nn.Conv2d(3, 4, 4, padding="same"), (2, 3, 5, 6), (4, 3, 4, 4)),
    ("Conv2d reflect", lambda nn: nn.Conv2d(2, 4, 3, padding=(2, 1), padding_mode="reflect"), (2, 2, 5, 6), (4, 2, 3, 3)),
    ("Conv2d replicate", lambda nn: nn.Conv2d(2, 4, 3, padding=2, padding_mode="replicate"), (2, 2, 3, 4), (4, 2, 3, 3)),
    ("Conv2d circular", lambda nn: nn.Conv2d(2, 2, 4, padding="same", padding_mode="circular"), (2, 2, 5, 6), (2, 2, 4, 4)),
    ("MaxPool2d", lambda nn: nn.MaxPool2d(3, 2, 1, ceil_mode=True), (2, 3, 6, 7), None),
    ("AvgPool2d", lambda nn: nn.AvgPool2d(3, 2, 1, count_include_pad=False), (2, 3, 6, 7), None),
    ("AdaptiveAvgPool2d", lambda nn: nn.AdaptiveAvgPool2d((2, None)), (2, 3, 6, 7), None),
    ("LocalResponseNorm", lambda nn: nn.LocalResponseNorm(3, 0.5, k=2.0), (2, 5, 3, 2), None),
]
for name, build, x, W in LAYERS:
    state = {} if W is None else {"weight": constant(normal(*W)), "bias": constant(normal(W[0]))}
    add(name, forward(build), x=normal(*x), **state)
