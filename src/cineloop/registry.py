"""Registries of named specs: the one way in which models, formats, losses and tasks are found.

Built-ins and plug-ins are the same typed specs. A registry is closed: a recipe can name what is registered and
nothing else, so opening a recipe never runs code that the user has not enabled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from cineloop.errors import CineloopError, PluginError
from cineloop.schema import did_you_mean

BUILTIN = "cineloop"


@dataclass(frozen=True, kw_only=True)
class Spec:
    """The base of everything that can be registered.

    Attributes:
        name: What a recipe writes. A plug-in's names carry its namespace, as in ``acme/net``.
        summary: One line for listings.
    """

    # Each kind of spec names its registry, so that a plug-in's loader need not know the kinds.
    registry: ClassVar[Registry[Spec]]

    name: str
    summary: str = ""


S = TypeVar("S", bound=Spec)


class Registry(Generic[S]):
    """Specs of one kind, by name.

    Args:
        kind: What the specs are, for messages: ``"model"``.
        error: The error that an unknown name raises.
        builtins: Called once, before the first look-up, for the built-in specs; so that listing names or
            importing the package loads nothing heavy.
    """

    def __init__(
        self, kind: str, error: type[CineloopError], builtins: Callable[[], Iterable[S]] | None = None
    ) -> None:
        self.kind = kind
        self._error = error
        self._builtins = builtins
        self._specs: dict[str, S] = {}
        self._origins: dict[str, str] = {}

    def _load(self) -> None:
        if self._builtins is not None:
            builtins, self._builtins = self._builtins, None
            for spec in builtins():
                self.add(spec)

    def add(self, spec: S, origin: str = BUILTIN) -> S:
        """Register ``spec``; names are unique, and a plug-in's carry a namespace.

        Raises:
            PluginError: The name is taken by another origin, or a plug-in's name has no namespace.
        """
        if origin != BUILTIN:
            self._load()
            if "/" not in spec.name:
                raise PluginError(
                    f"The {self.kind} {spec.name!r} of a plug-in has no namespace",
                    where=origin,
                    mend=f"Name it with the plug-in's own prefix, e.g. {origin}/{spec.name}.",
                )
        if spec.name in self._specs and self._origins[spec.name] != origin:
            raise PluginError(
                f"The {self.kind} {spec.name!r} is defined twice, by {self._origins[spec.name]} and {origin}",
                where=origin,
                mend="Enable one of the two, or rename one.",
            )
        self._specs[spec.name] = spec
        self._origins[spec.name] = origin
        return spec

    def get(self, name: str, *, where: str | None = None) -> S:
        """Return the spec called ``name``.

        Raises:
            PluginError: The name carries a namespace that no enabled plug-in brings.
            CineloopError: The name is unknown; the message gives the nearest known one.
        """
        self._load()
        if name in self._specs:
            return self._specs[name]
        namespace, separator, _ = name.partition("/")
        if separator:
            raise PluginError(
                f"The {self.kind} {name!r} belongs to a plug-in that is not enabled: {namespace!r}",
                where=where,
                mend=f"Enable it by name or by path: --plugin {namespace} or --plugin ./{namespace}.py.",
            )
        raise self._error(f"Unknown {self.kind}: {name!r}", where=where, mend=did_you_mean(name, self._specs))

    def origin(self, name: str) -> str:
        """Return who registered ``name``: ``"cineloop"`` or a plug-in's name."""
        self.get(name)
        return self._origins[name]

    def names(self) -> list[str]:
        """Return all names, sorted."""
        self._load()
        return sorted(self._specs)

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._specs

    def __iter__(self) -> Iterator[S]:
        self._load()
        return iter([self._specs[name] for name in sorted(self._specs)])
