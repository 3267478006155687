"""sweep validate: check a spec, start nothing."""

from typing import Annotated

import typer

from sweep.cli.options import Json, Set, Spec
from sweep.cli.terminal import print_json
from sweep.spec import SweepSpec, spec_json_schema


def validate(
    spec: Spec = "",
    set_: Set = None,
    json: Json = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a spec, for editors.")] = False,
) -> None:
    """Check a spec: exit code 0 if it can run, 2 and what is wrong if not."""
    if schema:
        print_json(spec_json_schema(), indent=2)
        return
    if not spec:
        raise typer.BadParameter("give a YAML file or a study's name, or --schema", param_hint="SPEC")
    checked = SweepSpec.load(spec, set_ or ())
    if json:
        print_json(checked.to_dict())
    else:
        print(f"{spec}: valid ({checked.name}: {checked.model} on {checked.dataset}, mode {checked.mode})")
