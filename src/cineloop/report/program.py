"""The package's own script of a page, with its data."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources

from markupsafe import Markup


def resource(name: str) -> str:
    """Return the text of a file that pages are made from."""
    return (resources.files("cineloop.report") / "templates" / name).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Placed:
    """A program as the template writes it."""

    code: Markup
    policy: Markup
    style: Markup
    data: Markup


@dataclass(frozen=True)
class Program:
    """A script and what it works on.

    Attributes:
        scripts: Names of resources, joined in order.
        style: A style sheet's.
        data: JSON, without any ``<``.
    """

    scripts: tuple[str, ...]
    style: str
    data: str

    def __post_init__(self) -> None:
        assert "<" not in self.data, "data must not end its element"

    @property
    def code(self) -> str:
        """The whole script."""
        return '"use strict";\n(() => {\n' + "\n".join(resource(name) for name in self.scripts) + "})();\n"

    @property
    def policy(self) -> str:
        """The directive that allows this script and no other."""
        digest = hashlib.sha256(self.code.encode("utf-8")).digest()
        return f"script-src 'sha256-{base64.b64encode(digest).decode('ascii')}'; "

    def placed(self) -> Placed:
        """Return what the template writes as it is: the package's own files, and data that cannot end its element."""
        own = self.code, self.policy, resource(self.style), self.data
        return Placed(*(Markup(text) for text in own))  # noqa: S704 - the package's own scripts
