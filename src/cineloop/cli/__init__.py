"""The command line: one small module a verb. Importing this package loads neither torch nor polars.

The contract of a verb
======================

``main.VERBS`` lists the verbs in the order of the help page, each with its one line; the module of the verb ``train``
is ``cineloop.cli.train``, and it is imported only when that verb is called or its own help is asked for. It defines
one of two things:

* ``def command(...)``: a verb without sub-verbs. Its parameters are the verb's arguments and options, written as
  Typer wants them (``Annotated[Path, typer.Argument(help=...)]``), its docstring is the help page.
* ``app = typer.Typer()``: a verb with sub-verbs (``cineloop cohort check``), each made by ``@app.command()``. One
  sub-verb is enough: an ``app`` is always a group. The help line of the group stands in ``main.VERBS``.

What a module does *not* do:

* It imports nothing heavy at its top: the standard library, ``typer``, ``cineloop.errors`` and ``cineloop.cli.common``.
  Everything else (torch, numpy, polars, pydantic, and the modules of cineloop that need them) is imported inside
  the function, so that ``--help`` answers at once. A test measures it for every verb.
* It declares neither ``--debug`` nor ``--plugin``: both are added to every verb and sub-verb, and are accepted before
  and after the verb's name. Plug-ins are enabled just before the function is called.
* It catches no errors to print them. It raises a :class:`cineloop.errors.CineloopError` for what the user can mend
  (message on standard error, exit code 2); anything else is reported as a defect (exit code 1). To end with another
  code, as a check that found something does, ``raise typer.Exit(code)``.
* It prints no colours of its own: results go to standard output through :mod:`cineloop.cli.common` (``print_json``,
  ``print_table``, ``say``), progress and remarks to standard error (``progress()``, ``note``).
"""
