import torch

x = torch.tensor([1.5, -2.7, 3.2])
print(x.dtype, x.double().dtype, x.half().dtype, x.long(), x.int(), x.bool(), x.type(torch.int64))
print(x.type(), x.type(torch.DoubleTensor).type(), x.type("torch.LongTensor"), torch.tensor([True]).type())
print(isinstance(x, torch.FloatTensor), isinstance(x, torch.LongTensor), torch.is_tensor(x), torch.is_tensor([1.0]))
print(x.to(torch.float64).dtype, x.to(dtype=torch.int32).dtype, x.is_floating_point(), x.type_as(torch.ones(1).double()))

for dtype in (torch.float16, torch.float32, torch.float64):
    info = torch.finfo(dtype)
    print(dtype, info.bits, info.eps, info.max, info.min)
print(torch.iinfo(torch.int32).max, torch.iinfo(torch.uint8).max)

print((torch.ones(1, dtype=torch.int) + torch.ones(1)).dtype, (torch.ones(1, dtype=torch.half) * 2.5).dtype)
print((torch.arange(3) / 2).dtype, (torch.arange(3) // 2).dtype, (torch.arange(3) * 1.0).dtype, (torch.tensor(3) ** 2).dtype)
print((torch.tensor([True, False]) + 1), torch.tensor([True, True]).sum(), torch.tensor([True, False]) & torch.tensor([True, True]))
print(torch.tensor([True, False]) ** 2, torch.tensor([3, 200], dtype=torch.uint8) > -1, ~torch.tensor([True, False]))

torch.set_default_dtype(torch.float64)
print(torch.tensor([1.0]).dtype, torch.zeros(2).dtype, torch.tensor(1).dtype, torch.nn.Linear(2, 2).weight.dtype)
print(torch.Tensor([1]).dtype, torch.linspace(0, 1, 3), torch.get_default_dtype(), torch.tensor([0.1]))
torch.set_default_dtype(torch.float32)
print(torch.tensor([0.1]).dtype, torch.tensor([0.1]) == 0.1)

y = torch.arange(4.0)
print(y.new_zeros(2), y.new_ones((1, 2)), y.new_full((2,), 7), y.new_tensor([1, 2]), y.long().new_zeros(2))
print(torch.zeros_like(y, dtype=torch.long), torch.ones_like(y), torch.full_like(y, 2), torch.rand_like(y).shape)
print(torch.DoubleTensor([1, 2]), torch.IntTensor([1, 2]), torch.BoolTensor([1, 0]), torch.LongTensor([[1, 2]]).shape)
print(torch.Tensor(2, 3).shape, torch.Tensor([2, 3]), torch.FloatTensor(4).shape, torch.Tensor(2, 3).zero_(), torch.Tensor().shape)
print(torch.tensor(7).item(), float(torch.tensor(2.5)), int(torch.tensor(9.9)), bool(torch.tensor(0)), [10, 20, 30][torch.tensor(1)])
print(torch.round(x), torch.floor(x), torch.ceil(x), x.sign(), torch.round(torch.tensor([1.2345]), decimals=2))
