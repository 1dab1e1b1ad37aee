"""``cineloop analyze --privacy-audit``: what de-identification lets slip on labelled procedures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from cineloop.cli.common import note, print_json, print_table, progress, say
from cineloop.errors import CineloopError

_USED = frozenset({"privacy_audit", "inbody", "quality", "out", "plain", "rate", "outside_class", "padding"})
_USED |= {"device", "batch", "threads", "json"}


def refuse_unused(ctx: typer.Context) -> None:
    """Refuse what was given to ``analyze`` and plays no part in an audit.

    Raises:
        CineloopError: Something was; with its names.
    """
    given = [param for param in ctx.command.params if str(param.name) not in _USED and _is_given(ctx, str(param.name))]
    if given:
        names = ", ".join("VIDEO" if param.param_type_name == "argument" else param.opts[0] for param in given)
        raise CineloopError(
            f"These are not used in an audit: {names}",
            where="--privacy-audit",
            mend="Leave them out: the table names the videos, and only blanking is audited.",
        )


def _is_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def audit(table: Path, out: Path, *, json: bool, **options: Any) -> None:
    """Audit blanking on the procedures of a table, and print what it let slip."""
    from cineloop import api
    from cineloop.analysis.privacy.audit_page import BOUNDS, share_text

    done = api.audit_privacy(
        table, out=out, begun=lambda folder: note(f"auditing into {folder}"), progress=progress(), **options
    )
    if json:
        print_json({**done.audit.to_json(), "notes": list(done.notes), "folder": str(done.folder)})
        return
    for text in done.notes:
        note(f"note: {text}")
    lost = "-" if done.audit.lost_share is None else f"{done.audit.lost_share:.1%}"
    rows = [
        ("frames out of the body that are left", share_text(done.audit.frames)),
        ("procedures with any", share_text(done.audit.cases)),
        ("seconds left in an hour of recording", f"{done.audit.per_hour:.1f}"),
        ("longest stretch left, s", f"{max(each.longest_seconds for each in done.audit.procedures):.1f}"),
        ("time inside the body that is lost", lost),
    ]
    print_table(["after blanking", f"{len(done.audit.procedures)} procedures"], rows)
    say(BOUNDS)
    say()
    for path in sorted(done.folder.iterdir()):
        say(f"{path.suffix[1:]:<5} {path}")
