"""The documentation names what there is."""

import re
from dataclasses import fields
from pathlib import Path

from msty_invoice.config import Config

ROOT = Path(__file__).resolve().parents[2]


def test_every_setting_is_explained() -> None:
    explained = set(re.findall(r"`([A-Z][A-Z_]+)`", (ROOT / "docs/configuration.md").read_text()))

    assert {field.name.upper() for field in fields(Config)} <= explained


def test_no_setting_is_explained_that_does_not_exist() -> None:
    table = re.findall(r"^\| (.+?) \|", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)
    explained = {name for cell in table for name in re.findall(r"`([A-Z][A-Z_]+)`", cell)}

    assert explained <= {field.name.upper() for field in fields(Config)}


def test_what_the_readme_links_to_is_there() -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text())

    assert linked
    assert all((ROOT / path).exists() for path in linked)
