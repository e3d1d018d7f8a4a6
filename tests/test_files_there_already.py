"""A file that is there already is kept, whatever kind it is and whenever it came."""

from pathlib import Path

import pytest

import pellucid as pl
from pellucid.app.output import Output
from shell import refused, shell


def test_a_link_to_nowhere_is_there_already(empty: Path) -> None:
    Path("a.png").symlink_to("nowhere.png")
    told = refused("saliency", "photo:cat", "--out", "a.png")
    assert "a.png is there already; --force overwrites it, --out FILE.png names another" in told
    assert shell("saliency", "photo:cat", "--out", "a.png", "--force").exit_code == 0
    assert Path("a.png").is_file() and not Path("a.png").is_symlink()


def test_a_file_that_came_during_the_work_is_kept(empty: Path, bundled: pl.Network) -> None:
    output = Output(Path("a.png"))
    output.check()
    Path("a.png").write_text("another's")
    with pytest.raises(pl.PellucidError, match="is there already; --force overwrites it"):
        output.save(pl.filters(bundled))
    assert Path("a.png").read_text() == "another's"
