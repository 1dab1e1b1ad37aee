"""``cineloop recipes``."""

from __future__ import annotations

from typing import Annotated

import typer

from cineloop.cli.common import JsonOption, print_json, print_table, say


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A recipe to print, resolved; none lists them.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Laid over the recipe before printing.")
    ] = None,
    source: Annotated[bool, typer.Option("--source", help="Print the file as it is, with its comments.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of recipes, for editors.")] = False,
    json: JsonOption = False,
) -> None:
    """List the shipped recipes, or print one, resolved and commented."""
    from cineloop.schema import read_yaml
    from cineloop.tasks import recipe

    if schema:
        say(recipe.json_schema())
        return
    if name is None:
        rows = [(known, str(recipe.compose(recipe.find_recipe(known)).get("about", ""))) for known in recipe.shipped()]
        if json:
            print_json([{"name": known, "about": about} for known, about in rows])
        else:
            print_table(["recipe", "what it is for"], rows)
        return
    path = recipe.find_recipe(name)
    if source:
        read_yaml(path)
        say(path.read_text(encoding="utf-8").rstrip())
        return
    resolved = recipe.load_recipe(name, overrides or [])
    if json:
        print_json(resolved.plain())
    else:
        from cineloop.tasks.commented import commented

        say(commented(resolved).rstrip())
