"""Fonts of the machine: found without asking the system, by their letters."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cineloop.report import typefaces
from cineloop.report.figures import confusion_matrix
from cineloop.report.typefaces import folders, font_with, letters_of, opened, shipped
from typefaces import make_font


@pytest.fixture
def fonts(tmp_path, monkeypatch):
    """A machine whose only fonts are those in a folder."""
    monkeypatch.setattr(typefaces, "folders", lambda: [tmp_path / "mine", tmp_path / "fonts"])
    font_with.cache_clear()
    yield tmp_path / "fonts"
    font_with.cache_clear()


def test_a_font_is_found_by_its_letters(fonts):
    make_font(fonts / "deep" / "down" / "B.TTF", "息肉")
    make_font(fonts / "a.otf", "息")
    assert font_with(letters_of("息肉 ")) == fonts / "deep" / "down" / "B.TTF"
    assert font_with(letters_of("息")) == fonts / "a.otf"
    assert font_with(letters_of("息肉正")) is None
    # Latin, Greek and Cyrillic are always there.
    assert font_with(letters_of("Полип α")) == shipped()


def test_a_plain_font_comes_before_a_bold_one_and_a_font_of_boxes_never(fonts):
    make_font(fonts / "a-bold-italic.ttf", "息")
    make_font(fonts / "b-Bold.ttf", "息")
    make_font(fonts / "LastResort.ttf", "息正")
    assert font_with(letters_of("息")) == fonts / "b-Bold.ttf"
    assert font_with(letters_of("正")) is None
    font_with.cache_clear()
    make_font(fonts / "z.ttc", "息")
    assert font_with(letters_of("息")) == fonts / "z.ttc"


def test_files_that_are_no_fonts_are_passed_over(fonts):
    fonts.mkdir()
    (fonts / "a.ttf").write_text("no font")
    (fonts / "b.ttf").mkdir()
    make_font(fonts / "c.ttf", "息")
    shutil.copy(fonts / "c.ttf", fonts / "a.txt")
    assert font_with(letters_of("息")) == fonts / "c.ttf"
    assert opened(fonts / "a.ttf") is None
    assert opened(fonts / "absent.ttf") is None


def test_folders_of_each_system(monkeypatch, tmp_path):
    monkeypatch.setattr(typefaces.sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert folders()[0] == tmp_path / "fonts"
    assert Path("/usr/share/fonts") in folders()
    monkeypatch.setattr(typefaces.sys, "platform", "darwin")
    assert Path("/System/Library/Fonts") in folders()
    monkeypatch.setattr(typefaces.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert folders()[0] == tmp_path / "Microsoft" / "Windows" / "Fonts"


def test_names_of_classes_on_png_figures_have_their_letters(fonts, tmp_path):
    def drawn():
        path = tmp_path / "figure.png"
        path.write_bytes(confusion_matrix(np.eye(2), ["息", "肉"]).png(50))
        return np.asarray(Image.open(path).convert("L"))

    boxes = drawn()
    font_with.cache_clear()
    make_font(fonts / "a.ttf", "息肉")
    assert (drawn() != boxes).any()
