"""The pages of the project, their code blocks, and the commands that they show."""

from __future__ import annotations

import re
import shlex

from support import ROOT

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "src/**/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
SHELL = ("sh", "bash", "console", "")


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, *languages):
    """Return the fenced code blocks of a page in these languages."""
    found = re.findall(r"^```(\S*)[^\n]*\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)
    return [body for language, body in found if language in languages]


def prose(page):
    """Return a page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def commands(page):
    """Return the words of every ``cineloop ...`` line of a page's code blocks and code spans, without the program."""
    lines = [line.strip() for body in blocks(page, *SHELL) for line in body.replace("\\\n", " ").splitlines()]
    lines += [line.lstrip("# ") for body in blocks(page, "yaml") for line in body.splitlines() if line.startswith("#")]
    lines += re.findall(r"`(cineloop [^`]+)`", prose(page))
    for line in lines:
        found = re.search(r"(?:^|[/ ])cineloop (.+)$", line)
        if found and "pip " not in line:
            yield shlex.split(found[1], comments=True)
