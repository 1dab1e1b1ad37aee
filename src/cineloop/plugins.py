"""Plug-ins: specs from outside the package, enabled by the user and never by a recipe.

A plug-in is a Python module (or package) whose module-level attributes are specs: ``ModelSpec``, ``FormatSpec``,
``LossSpec`` or ``TaskSpec``. An installed package offers one through the entry-point group ``cineloop.plugins``;
a single file or a folder is named by its path.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType

from cineloop.errors import PluginError
from cineloop.registry import Spec

GROUP = "cineloop.plugins"


@dataclass(frozen=True)
class Plugin:
    """An enabled plug-in, as a run records it.

    Attributes:
        name: The entry point's name, or the file's or folder's stem.
        version: The distribution's version, or the module's ``__version__``, or ``"0"``.
        sha256: Over the Python files, names and bytes, so that a changed plug-in shows.
        names: The names it registered, as ``kind:name``.
    """

    name: str
    version: str
    sha256: str
    names: tuple[str, ...]


_enabled: dict[str, Plugin] = {}


def enabled() -> list[Plugin]:
    """Return the plug-ins enabled in this process, by name."""
    return [_enabled[name] for name in sorted(_enabled)]


def _hash_sources(root: Path) -> str:
    files = [root] if root.is_file() else sorted(root.rglob("*.py"))
    digest = hashlib.sha256()
    for file in files:
        relative = file.name if root.is_file() else file.relative_to(root).as_posix()
        data = file.read_bytes()
        digest.update(f"{relative}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def _import_path(path: Path) -> tuple[ModuleType, Path]:
    source = path / "__init__.py" if path.is_dir() else path
    if not source.is_file() or source.suffix != ".py":
        raise PluginError(
            "There is no plug-in at this path",
            where=path,
            mend="Name a .py file, or a folder with an __init__.py.",
        )
    name = f"cineloop_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(
        name, source, submodule_search_locations=[str(path)] if path.is_dir() else None
    )
    if spec is None or spec.loader is None:
        raise PluginError("This file cannot be imported", where=path, mend="Check that it is Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module, path if path.is_dir() else source


def _import_entry(name: str) -> tuple[ModuleType, Path, str]:
    points = {point.name: point for point in metadata.entry_points(group=GROUP)}
    if name not in points:
        installed = f"Installed plug-ins: {', '.join(sorted(points))}." if points else "None is installed."
        raise PluginError(
            f"No installed plug-in is called {name!r}",
            where=f"--plugin {name}",
            mend=f"{installed} For a file, give its path: --plugin ./{name}.py.",
        )
    point = points[name]
    module = importlib.import_module(point.module)
    file = Path(module.__file__ or "")
    version = point.dist.version if point.dist is not None else "0"
    return module, file.parent if file.name == "__init__.py" else file, version


def specs_in(module: ModuleType) -> list[Spec]:
    """Return the specs among a module's attributes, lists and tuples of specs included, in order."""
    found: dict[int, Spec] = {}
    for value in vars(module).values():
        for candidate in value if isinstance(value, list | tuple) else (value,):
            if isinstance(candidate, Spec):
                found[id(candidate)] = candidate
    return list(found.values())


def enable(wanted: str) -> Plugin:
    """Import a plug-in and register its specs.

    Args:
        wanted: The name of an installed plug-in, or the path of a ``.py`` file or package folder.

    Raises:
        PluginError: It cannot be found or imported, or brings no specs.
    """
    is_path = wanted.endswith(".py") or "/" in wanted or "\\" in wanted or Path(wanted).is_dir()
    try:
        if is_path:
            path = Path(wanted).expanduser().resolve()
            name = path.stem
            if name in _enabled and _enabled[name].sha256 == (_hash_sources(path) if path.exists() else ""):
                return _enabled[name]
            module, root = _import_path(path)
            version = str(getattr(module, "__version__", "0"))
        else:
            name = wanted
            module, root, version = _import_entry(wanted)
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(
            f"The plug-in raised {type(error).__name__} while it was imported: {error}",
            where=wanted,
            mend="Run `python` on it to see the traceback, or pass --debug.",
        ) from error
    specs = specs_in(module)
    if not specs:
        raise PluginError(
            "The plug-in brings no spec",
            where=wanted,
            mend="Define a ModelSpec, FormatSpec, LossSpec or TaskSpec at module level.",
        )
    for spec in specs:
        type(spec).registry.add(spec, origin=name)
    plugin = Plugin(
        name=name,
        version=version,
        sha256=_hash_sources(root),
        names=tuple(f"{type(spec).registry.kind}:{spec.name}" for spec in specs),
    )
    _enabled[name] = plugin
    return plugin


def enable_all(wanted: Iterable[str]) -> list[Plugin]:
    """Enable several plug-ins, in order."""
    return [enable(name) for name in wanted]


def require(recorded: Iterable[dict[str, object]], *, where: str | Path) -> None:
    """Check that the plug-ins a run was made with are enabled, and are the same code.

    Args:
        recorded: What the run's ledger holds: mappings with ``name``, ``version`` and ``sha256``.
        where: The run, for the message.

    Raises:
        PluginError: One is missing or differs.
    """
    for record in recorded:
        name = str(record["name"])
        plugin = _enabled.get(name)
        if plugin is None:
            raise PluginError(
                f"This run needs the plug-in {name!r} (version {record['version']}), which is not enabled",
                where=where,
                mend=f"Enable it by name or by path: --plugin {name} or --plugin ./{name}.py.",
            )
        if plugin.sha256 != record["sha256"]:
            raise PluginError(
                f"The plug-in {name!r} is not the code this run was made with "
                f"(version {record['version']} then, {plugin.version} now)",
                where=where,
                mend=f"Check out the plug-in whose SHA-256 begins with {str(record['sha256'])[:12]}.",
            )


def as_records() -> list[dict[str, object]]:
    """Return the enabled plug-ins as plain data for a run's ledger."""
    return [{**asdict(plugin), "names": list(plugin.names)} for plugin in enabled()]
