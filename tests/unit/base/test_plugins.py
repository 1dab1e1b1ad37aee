import dataclasses

import pytest

from cineloop import plugins
from cineloop.errors import PluginError
from cineloop.models.registry import MODELS

NET = """
from cineloop.models.registry import ModelIO, ModelSpec
from cineloop.schema import Section

class Config(Section):
    width: int = 8

def build(config):
    import torch
    return torch.nn.Linear(4, config.width)

def io(config):
    return ModelIO(input="clip", layout="BCTHW", frames=8, size=(64, 64), output="features", width=config.width)

SPEC = ModelSpec(name="{name}", Config=Config, build=build, io=io)
"""


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    MODELS.names()
    monkeypatch.setattr(plugins, "_enabled", {})
    monkeypatch.setattr(MODELS, "_specs", dict(MODELS._specs))
    monkeypatch.setattr(MODELS, "_origins", dict(MODELS._origins))


def write(tmp_path, name="acme/net", file="acme.py"):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(NET.replace("{name}", name))
    return path


def test_a_file_brings_a_model(tmp_path):
    plugin = plugins.enable(str(write(tmp_path)))
    assert MODELS.get("acme/net").Config().width == 8
    assert (plugin.name, plugin.names) == ("acme", ("model:acme/net",))
    assert plugins.enable(str(tmp_path / "acme.py")) == plugin


def test_a_folder_brings_a_model(tmp_path):
    write(tmp_path, file="acme/__init__.py")
    assert plugins.enable(str(tmp_path / "acme")).name == "acme"


def test_without_it_the_error_names_it():
    with pytest.raises(PluginError) as caught:
        MODELS.get("acme/net")
    assert "--plugin acme" in caught.value.mend


def test_names_need_a_namespace_and_do_not_replace_others(tmp_path):
    with pytest.raises(PluginError, match="no namespace"):
        plugins.enable(str(write(tmp_path, name="net")))
    plugins.enable(str(write(tmp_path)))
    with pytest.raises(PluginError, match="defined twice"):
        plugins.enable(str(write(tmp_path, file="other.py")))


def test_what_is_no_plugin_is_told(tmp_path):
    (tmp_path / "empty.py").write_text("x = 1")
    (tmp_path / "broken.py").write_text("import nothing_of_this_name")
    for name, words in [
        ("empty.py", "brings no spec"),
        ("broken.py", "ModuleNotFoundError"),
        ("absent.py", "no plug-in"),
    ]:
        with pytest.raises(PluginError, match=words):
            plugins.enable(str(tmp_path / name))
    with pytest.raises(PluginError, match="No installed plug-in"):
        plugins.enable("acme")


def test_a_run_asks_for_the_same_code(tmp_path):
    plugin = plugins.enable(str(write(tmp_path)))
    record = dataclasses.asdict(plugin)
    plugins.require([record], where="run")
    with pytest.raises(PluginError, match="not the code"):
        plugins.require([{**record, "sha256": "0" * 64}], where="run")
    with pytest.raises(PluginError, match="needs the plug-in 'other'"):
        plugins.require([{**record, "name": "other"}], where="run")
