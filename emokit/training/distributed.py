"""Training in several processes: each computes the gradients of its rows of a batch, and all take the step of the full batch.

Started as `accelerate launch --num_processes N -m emokit train …`. The batch size is that of the full batch, so N processes give
the result of one, apart from rounding and dropout.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor, distributed, nn

Result = TypeVar("Result")


def local_batch(batch: dict[str, Tensor], accelerator: Accelerator) -> tuple[dict[str, Tensor], float]:
    """This process's rows of a batch, and the weight that makes the mean over processes the mean over utterances.

    With fewer utterances than processes, some processes get an utterance of weight 0.
    """
    count, size, rank = accelerator.num_processes, len(next(iter(batch.values()))), accelerator.process_index
    rows = slice(size * rank // count, size * (rank + 1) // count)
    num_rows = rows.stop - rows.start
    if not num_rows:
        rows = slice(0, 1)
    return {name: values[rows] for name, values in batch.items()}, num_rows * count / size


def from_main_process(compute: Callable[[], Result], accelerator: Accelerator) -> Result:
    """Compute in the main process and send the result to all: rounding could make the processes decide differently."""
    if accelerator.num_processes == 1:
        return compute()
    results = [compute() if accelerator.is_main_process else None]
    result: Result = broadcast_object_list(results)[0]
    return result


class _Sum(torch.autograd.Function):
    """The sum of a tensor over all processes; its gradient is summed too."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        distributed.all_reduce(total)
        return total


def sum_over_processes(values: Tensor) -> Tensor:
    """The sum of a tensor over all processes; differentiable."""
    total: Tensor = _Sum.apply(values)
    return total


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation by the mean and variance of the full batch over all processes.

    Like torch's SyncBatchNorm, which does not run on a CPU.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, F, T) -> the same."""
        if not self.training:
            return super().forward(maps)
        values = maps.float()
        count = sum_over_processes(torch.tensor(float(values.numel() // values.shape[1]), device=maps.device))
        mean = sum_over_processes(values.sum(dim=(0, 2, 3))) / count
        centred = values - mean[:, None, None]
        variance = sum_over_processes(centred.square().sum(dim=(0, 2, 3))) / count
        if self.running_mean is not None and self.running_var is not None and self.momentum is not None:
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * count / (count - 1), self.momentum)
                if self.num_batches_tracked is not None:
                    self.num_batches_tracked.add_(1)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(maps.dtype)


def share_batch_norms(model: nn.Module) -> None:
    """Replace every batch normalisation of the model by a `SharedBatchNorm2d` with the same weights."""
    for name, child in model.named_children():
        if type(child) is nn.BatchNorm2d:
            shared = SharedBatchNorm2d(child.num_features, eps=child.eps, momentum=child.momentum)
            shared.load_state_dict(child.state_dict())
            shared.weight, shared.bias = child.weight, child.bias  # the same objects, as an optimiser may hold them
            setattr(model, name, shared)
        else:
            share_batch_norms(child)
