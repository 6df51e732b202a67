"""Writes torch.safetensors with PyTorch: run by hand where PyTorch is; the tests read what it wrote."""

from pathlib import Path


def main():
    import torch
    from safetensors.torch import save_file

    tensors = {
        "0.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 4,
        "0.bias": torch.tensor([-1.5, 2.0], dtype=torch.float64),
        "1.running_mean": torch.tensor([0.5, 1.0], dtype=torch.float16),
        "1.num_batches_tracked": torch.tensor(7),
        "mask": torch.tensor([[True], [False]]),
        "empty": torch.zeros(0, 3),
    }
    save_file(tensors, Path(__file__).with_name("torch.safetensors"), metadata={"format": "pt"})


if __name__ == "__main__":
    main()
