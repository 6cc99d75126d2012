"""One training in several processes: each takes its share of every batch, and all of them take the step of the whole batch.

Started as `accelerate launch --num_processes N -m emokit train …`. The batch size is that of the whole batch, so N processes
come to what one comes to, apart from rounding and the draws of dropout.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor, distributed, nn

Result = TypeVar("Result")


def own_share(batch: dict[str, Tensor], accelerator: Accelerator) -> tuple[dict[str, Tensor], float]:
    """This process's rows of a batch, and the factor that makes the mean over processes the mean over utterances.

    Where there are fewer utterances than processes, some of them take one that counts for nothing.
    """
    count, size, rank = accelerator.num_processes, len(next(iter(batch.values()))), accelerator.process_index
    rows = slice(size * rank // count, size * (rank + 1) // count)
    own = rows.stop - rows.start
    if not own:
        rows = slice(0, 1)
    return {name: values[rows] for name, values in batch.items()}, own * count / size


def from_first(work: Callable[[], Result], accelerator: Accelerator) -> Result:
    """What the first process finds, in all of them: decisions that rounding could make differ are made once."""
    if accelerator.num_processes == 1:
        return work()
    found = [work() if accelerator.is_main_process else None]
    result: Result = broadcast_object_list(found)[0]
    return result


class _Sum(torch.autograd.Function):
    """The sum of a tensor over all processes; a gradient that comes back is summed likewise."""

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


def summed(values: Tensor) -> Tensor:
    """The sum of a tensor over all processes, of which gradients know."""
    total: Tensor = _Sum.apply(values)
    return total


class SharedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation by the mean and variance of the whole batch, of which every process has a share.

    As torch's SyncBatchNorm, which knows no CPU.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, F, T) -> the same."""
        if not self.training:
            return super().forward(maps)
        values = maps.float()
        count = summed(torch.tensor(float(values.numel() // values.shape[1]), device=maps.device))
        mean = summed(values.sum(dim=(0, 2, 3))) / count
        centred = values - mean[:, None, None]
        variance = summed(centred.square().sum(dim=(0, 2, 3))) / count
        if self.running_mean is not None and self.running_var is not None and self.momentum is not None:
            with torch.no_grad():
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(variance * count / (count - 1), self.momentum)
                if self.num_batches_tracked is not None:
                    self.num_batches_tracked.add_(1)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(maps.dtype)


def share_batch_norms(model: nn.Module) -> None:
    """Put a `SharedBatchNorm2d` with the same weights in the place of every batch normalisation of the model."""
    for name, child in model.named_children():
        if type(child) is nn.BatchNorm2d:
            shared = SharedBatchNorm2d(child.num_features, eps=child.eps, momentum=child.momentum)
            shared.load_state_dict(child.state_dict())
            shared.weight, shared.bias = child.weight, child.bias  # the very ones that an optimiser may hold
            setattr(model, name, shared)
        else:
            share_batch_norms(child)
