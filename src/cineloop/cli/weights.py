"""``cineloop weights``: what a weights file is, its conversion to safetensors, and its download."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cineloop.cli.common import JsonOption, print_json, print_table, say

if TYPE_CHECKING:
    from cineloop.models.match import MatchReport
    from cineloop.models.weights import Checkpoint

app = typer.Typer()

_OVERRIDES = "Options of the model that differ from its defaults."
PrefixOption = Annotated[
    str | None,
    typer.Option("--prefix", help="What the file's keys begin with, where it is not one of the known prefixes."),
]


def _config(checkpoint: Checkpoint, name: str, overrides: list[str] | None) -> dict[str, Any]:
    from cineloop.schema import parse_override

    own = checkpoint.passport.config if checkpoint.passport and checkpoint.passport.architecture == name else {}
    return {**own, **dict(parse_override(text) for text in overrides or ())}


def _match(
    checkpoint: Checkpoint, name: str, overrides: list[str] | None, prefix: str | None
) -> tuple[MatchReport, str | None]:
    """Return how a file fits a model, and where it does not, which one it seems to be of."""
    from cineloop import models
    from cineloop.models.likeness import advice
    from cineloop.models.match import match

    spec = models.spec(name)
    module = spec.build(models.configure(name, _config(checkpoint, name, overrides)))
    report = match(module, checkpoint.tensors, where=checkpoint.path, spec=spec, prefix=prefix)[0]
    fits = report.share == 1.0 and not report.unexpected
    passport = checkpoint.passport
    if fits or (passport is not None and passport.architecture != name):
        return report, None
    return report, advice(module, checkpoint.tensors, report, spec=spec, passport=passport)


def _summary(checkpoint: Checkpoint) -> dict[str, Any]:
    from cineloop.models.weights import non_finite

    tensors = checkpoint.tensors
    kinds = sorted({str(value.dtype).removeprefix("torch.") for value in tensors.values()})
    return {
        "file": str(checkpoint.path),
        "kind": checkpoint.kind,
        "form": checkpoint.form,
        "tensors": len(tensors),
        "parameters": sum(value.numel() for value in tensors.values()),
        "types": kinds,
        "beside": list(checkpoint.beside),
        "non_finite": non_finite(tensors),
        "passport": checkpoint.passport.model_dump(mode="json") if checkpoint.passport else None,
    }


@app.command("inspect")
def inspect_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .safetensors, .pth, .pt or .ckpt file.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help=_OVERRIDES)] = None,
    model: Annotated[str | None, typer.Option("--model", help="Set its keys against this model's.")] = None,
    prefix: PrefixOption = None,
    json: JsonOption = False,
) -> None:
    """Tell what a weights file holds, running nothing that is in it."""
    from cineloop.models.weights import open_weights

    checkpoint = open_weights(file)
    summary = _summary(checkpoint)
    report, seen = _match(checkpoint, model, overrides, prefix) if model is not None else (None, None)
    if json:
        print_json({**summary, "match": report.plain() if report is not None else None, "advice": seen})
        return
    passport = checkpoint.passport
    rows: list[tuple[str, object]] = [
        ("file", summary["file"]),
        ("kind", summary["kind"]),
        ("tensors found in", summary["form"]),
        ("tensors", f"{summary['tensors']:,} of {summary['parameters']:,} numbers, {', '.join(summary['types'])}"),
        ("beside them", ", ".join(summary["beside"]) or None),
        ("not finite", ", ".join(summary["non_finite"]) or None),
        ("passport", "checked against the tensors" if passport else "none: a foreign file"),
    ]
    if passport is not None:
        rows += [
            ("architecture", passport.architecture),
            ("input", f"{passport.io.input}, {passport.io.layout}, {passport.io.frames} x {passport.io.size}"),
            ("output", f"{passport.io.width} {passport.io.output}"),
            ("classes", ", ".join(passport.classes) or None),
            ("licence", passport.licence or None),
            ("origin", passport.origin or None),
            ("trained on", passport.corpus),
            ("leak allowed", passport.leak),
            ("SHA-256 of tensors", passport.sha256),
        ]
    print_table(("", "value"), rows)
    if report is not None:
        say()
        say(f"Against {model}: {report.table()}")
        if seen is not None:
            say(seen)


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .safetensors, .pth, .pt or .ckpt file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The safetensors file to write; it must not exist.")],
    model: Annotated[str, typer.Option("--model", help="The model that the weights are of.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help=_OVERRIDES)] = None,
    prefix: PrefixOption = None,
    allow_unexpected: Annotated[
        bool, typer.Option("--allow-unexpected", help="Leave out tensors that the model has no place for.")
    ] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Make a model that predicts, as its published tool does.")
    ] = False,
    licence: Annotated[str | None, typer.Option("--licence", help="Licence of the weights, for the passport.")] = None,
    origin: Annotated[str | None, typer.Option("--origin", help="Where they come from, for the passport.")] = None,
) -> None:
    """Write a checkpoint as safetensors with a passport; every parameter of the model must be in it."""
    from cineloop import models
    from cineloop.errors import WeightsError
    from cineloop.files import sha256_file
    from cineloop.models.passport import Passport
    from cineloop.models.weights import load_into, open_weights, save_weights

    if out.exists():
        raise WeightsError("The output exists", where=out, mend="Choose another name, or remove it.")
    checkpoint = open_weights(file)
    spec = models.spec(model)
    config = models.configure(model, _config(checkpoint, model, overrides))
    module = spec.build(config)
    report = load_into(module, checkpoint, spec=spec, prefix=prefix, allow_unexpected=allow_unexpected)
    before = checkpoint.passport
    passport = Passport.of(spec, config).model_copy(
        update={
            "licence": licence or (before.licence if before else ""),
            "origin": origin or (before.origin if before else f"a file of SHA-256 {sha256_file(file)}"),
            "corpus": before.corpus if before else None,
            "leak": before.leak if before else None,
        }
    )
    if published:
        from cineloop.tasks.frame_classification.published_heads import as_published

        passport = as_published(passport)
    written = save_weights(out, module, passport)
    say(report.table())
    say(f"Wrote {out}: {written.parameters:,} numbers, SHA-256 of tensors {written.sha256}")


@app.command()
def fetch(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="An https:// address, or hf:OWNER/NAME/FILE@COMMIT.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    sha256: Annotated[
        str,
        typer.Option("--sha256", help="What the file must hash to; `unknown` takes what comes and tells its hash."),
    ],
    json: JsonOption = False,
) -> None:
    """Download a weights file of a fixed revision; a download that broke off goes on where it was.

    This is the one verb that uses a network. CINELOOP_OFFLINE=1 in the environment forbids it.
    """
    from cineloop.cli.common import progress
    from cineloop.models.fetch import fetch as fetch_weights

    found = fetch_weights(source, out, sha256=sha256, progress=progress())
    if json:
        print_json(
            {
                "path": str(found.path),
                "url": found.url,
                "sha256": found.sha256,
                "bytes": found.size,
                "resumed": found.resumed,
            }
        )
        return
    say(f"file     {found.path}")
    say(f"SHA-256  {found.sha256}")
    say(f"size     {found.size:,} bytes{f', of which {found.resumed:,} were here before' if found.resumed else ''}")
