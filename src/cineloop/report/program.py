"""The package's own script of a page, with its data."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, TypeAlias

from markupsafe import Markup

MediaSource: TypeAlias = Literal["'self'", "file:", "blob:"]


def resource(name: str) -> str:
    """Return the text of a file that pages are made from."""
    return (resources.files("cineloop.report") / "templates" / name).read_text(encoding="utf-8")


def script_data(value: Any) -> str:
    """Return plain values as JSON that stands safely inside a script element: no name in it can end the element.

    Raises:
        ValueError: A number is not finite.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


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
        data: JSON, without any ``<``: see :func:`script_data`.
        media: From where it plays video, as sources of a content security policy.
    """

    scripts: tuple[str, ...]
    style: str
    data: str
    media: tuple[MediaSource, ...] = ()

    def __post_init__(self) -> None:
        assert "<" not in self.data, "data must not end its element"

    @property
    def code(self) -> str:
        """The whole script."""
        return '"use strict";\n(() => {\n' + "\n".join(resource(name) for name in self.scripts) + "})();\n"

    @property
    def policy(self) -> str:
        """The directives that allow this script and no other, and video where it is played."""
        digest = hashlib.sha256(self.code.encode("utf-8")).digest()
        allowed = f"script-src 'sha256-{base64.b64encode(digest).decode('ascii')}'; "
        return allowed + (f"media-src {' '.join(self.media)}; " if self.media else "")

    def placed(self) -> Placed:
        """Return what the template writes as it is: the package's own files, and data that cannot end its element."""
        own = self.code, self.policy, resource(self.style), self.data
        return Placed(*(Markup(text) for text in own))  # noqa: S704 - the package's own scripts
