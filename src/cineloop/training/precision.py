"""Which arithmetic a device computes in hardware."""

from __future__ import annotations

import torch

_CPU_BF16 = ("avx512_bf16", "amx_bf16", "bf16")
"""What torch calls the instructions of x86 and ARM processors that multiply bfloat16."""

EMULATED = "bf16 is emulated here and 10 to 80 times slower than fp32: set train.precision to auto or 32-true"


def bf16_instructions() -> list[str]:
    """Return the instructions by which this processor multiplies bfloat16; without any, torch emulates it."""
    capabilities = torch.cpu.get_capabilities()
    return [name for name in _CPU_BF16 if capabilities.get(name)]


def has_bf16(accelerator: str) -> bool:
    """Return whether ``cpu``, ``cuda`` or ``mps`` multiplies bfloat16 in hardware here."""
    if accelerator == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return accelerator == "cpu" and bool(bf16_instructions())


def resolve(asked: str, accelerator: str) -> str:
    """Return what ``auto`` means on a device: ``bf16-mixed`` where the hardware has it, else ``32-true``."""
    if asked != "auto":
        return asked
    return "bf16-mixed" if has_bf16(accelerator) else "32-true"


def is_emulated(precision: str, accelerator: str) -> bool:
    """Return whether a device computes a precision only by emulation, many times slower than fp32."""
    return precision.startswith("bf16") and accelerator == "cpu" and not has_bf16("cpu")
