"""``cineloop doctor``: what works on this machine and what does not."""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from cineloop.cli.common import JsonOption, print_json, print_table, say

if TYPE_CHECKING:
    from types import ModuleType

GIB = 1024**3
# Everything that a plain installation has; a missing one is a broken installation.
_LIBRARIES = (
    "torch",
    "torchvision",
    "lightning-fabric",
    "av",
    "pydicom",
    "pillow",
    "polars",
    "pydantic",
    "numpy",
    "scipy",
    "scikit-learn",
    "safetensors",
    "jinja2",
    "matplotlib",
    "tensorboard",
)
# What procedure video comes in; the names are FFmpeg's.
_DECODERS = ("h264", "hevc", "mpeg4", "mpeg2video", "mjpeg", "vp9", "av1", "theora", "gif", "wmv2", "dvvideo", "prores")
_ENCODERS = ("libx264", "mjpeg", "libvpx-vp9", "gif")
_NEEDED = {"h264", "mjpeg", "libx264"}
_BROKEN = (ImportError, OSError, RuntimeError)


@dataclass(frozen=True)
class Check:
    """One thing looked at.

    Attributes:
        group: What it belongs to.
        name: What was looked at.
        state: ``ok``; ``note``: works, but know this; ``problem``: something needed does not work.
        value: What was found.
        remark: What that means, or how to mend it.
    """

    group: str
    name: str
    state: Literal["ok", "note", "problem"]
    value: str
    remark: str = ""


def _installed(distribution: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _import(module: str) -> ModuleType | str:
    """Return a module, or the reason why it cannot be imported."""
    try:
        return importlib.import_module(module)
    except _BROKEN as error:
        return f"{type(error).__name__}: {error}"


def check_system() -> Iterator[Check]:
    """Look at Python, the processor and memory shared between processes."""
    yield Check("system", "python", "ok", f"{platform.python_version()} on {platform.platform()}")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Check("system", "processor cores", "ok", f"{usable} usable of {os.cpu_count()}")
    shared = Path("/dev/shm")  # noqa: S108 - only measured
    if shared.is_dir():
        from cineloop.files import free_bytes

        free = free_bytes(shared)
        small = free < GIB
        yield Check(
            "system",
            "shared memory",
            "note" if small else "ok",
            f"{free / GIB:.2f} GiB free",
            "Data workers may fail; start the container with --shm-size=2g, or set train.workers=0." if small else "",
        )


def check_libraries() -> Iterator[Check]:
    """Look at the versions of what a plain installation has."""
    for name in _LIBRARIES:
        version = _installed(name)
        yield Check(
            "libraries",
            name,
            "ok" if version else "problem",
            version or "not installed",
            "" if version else "Install cineloop again: pip install cineloop.",
        )


def check_torch() -> Iterator[Check]:
    """Look at what torch computes with, and whether torchvision is whole."""
    torch = _import("torch")
    if isinstance(torch, str):
        yield Check("torch", "import", "problem", torch, "Install torch again.")
        return
    from cineloop.training.precision import bf16_instructions  # imports torch, which has just been seen to be there

    yield Check("torch", "threads", "ok", f"{torch.get_num_threads()} (OMP_NUM_THREADS sets them)")
    fast = bf16_instructions()
    vectors = torch.backends.cpu.get_cpu_capability()
    yield Check("torch", "processor instructions", "ok", vectors)
    yield Check(
        "torch",
        "bf16 on the processor",
        "ok" if fast else "note",
        ", ".join(fast) or "emulated",
        "" if fast else "train.precision=bf16-mixed is 10 to 80 times slower here than 32-true; auto takes 32-true.",
    )
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            device = torch.cuda.get_device_properties(number)
            bf16 = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no bf16"
            value = f"{device.name}, {device.total_memory / GIB:.0f} GiB, CUDA {torch.version.cuda}, {bf16}"
            yield Check("torch", f"GPU {number}", "ok", value)
    elif torch.backends.mps.is_available():
        yield Check("torch", "GPU", "ok", "Apple (mps)")
    else:
        built = "this torch is built without CUDA" if torch.version.cuda is None else "no CUDA device answers"
        yield Check("torch", "GPU", "note", "none", f"Everything runs on the processor ({built}).")
    from cineloop.models import _torchvision

    try:
        declared = _torchvision.operators_declared()
    except _BROKEN as error:
        yield Check(
            "torch",
            "torchvision",
            "problem",
            f"{type(error).__name__}: {error}",
            "Install the torchvision that belongs to this torch.",
        )
        return
    yield Check(
        "torch",
        "torchvision",
        "note" if declared else "ok",
        "compiled operators missing" if declared else "whole",
        "It was built for another torch. The networks used here work; non-maximum suppression would not."
        if declared
        else "",
    )


def check_video() -> Iterator[Check]:
    """Look at the decoders and encoders of PyAV's FFmpeg."""
    av = _import("av")
    if isinstance(av, str):
        yield Check("video", "PyAV", "problem", av, "Install av again: its wheels carry FFmpeg.")
        return
    libraries = ", ".join(
        f"{name} {'.'.join(map(str, av.library_versions[name]))}" for name in ("libavcodec", "libavformat")
    )
    yield Check("video", "PyAV", "ok", f"{av.__version__} with {libraries}")
    for kind, mode, names in (("decoders", "r", _DECODERS), ("encoders", "w", _ENCODERS)):
        missing = []
        for name in names:
            try:
                av.Codec(name, mode)
            except av.codec.codec.UnknownCodecError:
                missing.append(name)
        found = ", ".join(name for name in names if name not in missing)
        state: Literal["ok", "note", "problem"] = "ok"
        if missing:
            state = "problem" if _NEEDED & set(missing) else "note"
        remark = f"Missing: {', '.join(missing)}. The wheels of av have them." if missing else ""
        yield Check("video", kind, state, found, remark)


def check_disk() -> Iterator[Check]:
    """Look at the space where runs and the cache go."""
    from cineloop.files import cache_folder, free_bytes

    for name, folder in (("this folder", Path.cwd()), ("cache", cache_folder())):
        free = free_bytes(folder)
        existing = folder
        while not existing.exists():
            existing = existing.parent
        writable = os.access(existing, os.W_OK)
        value = f"{folder}: {free / GIB:.1f} GiB free" + ("" if writable else ", not writable")
        if name == "cache" and not writable:
            yield Check("disk", name, "problem", value, "Set CINELOOP_CACHE to a folder that you may write to.")
        elif not writable:
            yield Check("disk", name, "note", value, "Give --out a folder that you may write to.")
        else:
            low = free < 2 * GIB
            yield Check("disk", name, "note" if low else "ok", value, "Little space is left." if low else "")


def check_extras() -> Iterator[Check]:
    """Look at which optional parts are installed, and which plug-ins could be enabled."""
    from importlib import metadata

    from cineloop.plugins import GROUP

    wanted: dict[str, list[str]] = {}
    for requirement in metadata.requires("cineloop") or []:
        found = re.match(r"([\w.-]+).*;.*extra == ['\"]([\w-]+)['\"]", requirement)
        if found and found[2] not in ("dev", "bench"):
            wanted.setdefault(found[2], []).append(found[1])
    for extra, distributions in sorted(wanted.items()):
        missing = [name for name in distributions if _installed(name) is None]
        versions = ", ".join(f"{name} {_installed(name)}" for name in distributions if name not in missing)
        yield Check(
            "extras",
            extra,
            "note" if missing else "ok",
            "not installed" if missing else versions,
            f"pip install 'cineloop[{extra}]' where it is wanted." if missing else "",
        )
    names = sorted({point.name for point in metadata.entry_points(group=GROUP)})
    yield Check(
        "extras", "plug-ins", "ok", ", ".join(names) or "none installed", "--plugin NAME enables one." * bool(names)
    )


def examine() -> list[Check]:
    """Look at everything."""
    parts = (check_system, check_libraries, check_torch, check_video, check_disk, check_extras)
    return [check for part in parts for check in part()]


def command(json: JsonOption = False) -> None:
    """Tell what works on this machine and what does not; ends with 1 if something needed does not work."""
    from cineloop._version import __version__

    checks = examine()
    problems = [check for check in checks if check.state == "problem"]
    if json:
        print_json({"cineloop": __version__, "healthy": not problems, "checks": [asdict(check) for check in checks]})
    else:
        say(f"cineloop {__version__} at {Path(sys.modules['cineloop'].__file__ or '').parent}")
        print_table(
            ("", "what", "found"), [(check.state, f"{check.group}: {check.name}", check.value) for check in checks]
        )
        for title, state in (("Works, but know this", "note"), ("Does not work", "problem")):
            told = [check for check in checks if check.state == state]
            if told:
                say(f"\n{title}:")
            for check in told:
                say(f"  {check.name}: {check.value}. {check.remark}".rstrip())
        say("\n" + (f"{len(problems)} problem(s)." if problems else "Everything needed works."))
    if problems:
        raise typer.Exit(1)
