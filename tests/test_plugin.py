"""Plug-ins: a real package adds a method without touching pellucid, and broken ones break nothing.

The package lies in tests/plugin. It is built and unpacked into a folder of its own, beside broken
ones that are written here; other processes have that folder on their path, so that this one, and
with it all other tests, never sees them.
"""

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

import pellucid as pl
from pellucid import register
from pellucid.app.cli import app
from plugged import PLUGIN, PYTEST, python

HEAD = "from typing import Annotated\nimport pellucid as pl\n"
METHOD = '''
@pl.method()
def {name}(
    net: pl.Network, photo: pl.Photo, *, {setting}: Annotated[int, pl.Help("x", low=0)] = 0
){returns}:
    """Says nothing."""
'''


def written(name: str, setting: str = "count", returns: str = " -> pl.Heatmap") -> str:
    return METHOD.format(name=name, setting=setting, returns=returns)


# Package: what its module says, and its entry points. The order of the alphabet decides.
BROKEN = {
    "a-absent": ("", {"absent": "a_absent.nowhere:absent"}),
    "b-typo": ("def method(:\n", {"typo": "b_typo:typo"}),
    "c-undefined": ("import numpy\n", {"undefined": "c_undefined:undefined"}),
    "d-crash": (
        HEAD + "import no_such_thing\n" + written("crash"),
        {"crash": "d_crash:crash"},
    ),
    "e-clash": (HEAD + written("clash", setting="force"), {"clash": "e_clash:clash"}),
    "f-other": (
        "def method(function):\n    return function\n@method\ndef other():\n    'Is no method.'\n",
        {"other": "f_other:other", "Other-name": "f_other:other", "elsewhere": "f_other:other"},
    ),
    "g-unsaid": (HEAD + written("unsaid", returns=""), {"unsaid": "g_unsaid:unsaid"}),
    # Nothing is wrong with this one: it explains.
    "h-flat": (
        HEAD + written("flat").replace("count: Annotated[int", "target: Annotated[str"),
        {"flat": "h_flat:flat"},
    ),
    "z-rival": (
        HEAD + "".join(map(written, ("doubt", "saliency", "doctor"))),
        {name: f"z_rival:{name}" for name in ("doubt", "saliency", "doctor")},
    ),
}  # fmt: skip
DRIVER = """
import json, sys
from pathlib import Path
from typer.testing import CliRunner
from pellucid.app.cli import app

def shell(*words):
    done = CliRunner().invoke(app, words, env={"TERMINAL_WIDTH": "300", "COLUMNS": "300"})
    return {"code": done.exit_code, "said": " ".join(done.output.split())}

told = {"help": shell("--help")}
theirs = {path.stem for path in Path(sys.argv[1]).iterdir()}
told["imported"] = sorted({"torch", *theirs} & {name.partition(".")[0] for name in sys.modules})
told["run"] = shell("doubt", "photo:cat", "--out", "doubt.png", "--heat", "2")
told["replay"] = shell("replay", "doubt.png")
told["saliency"] = shell("saliency", "photo:cat", "--out", "saliency.png")
told["quiet"] = shell("saliency", "photo:cat", "--out", "quiet.png", "--quiet")
told["broken"] = {name: shell(name, "photo:cat") for name in sys.argv[2:]}
told["doctor"] = shell("doctor", "--json")
told["table"] = shell("doctor")

import warnings
import pellucid as pl
from pellucid import page, register
from pellucid.app import report
from pellucid.explain import explainers

with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    told["doubt"] = repr(pl.doubt)
told["warned"] = [str(each.message) for each in seen]
told["has"] = [name for name in ("doubt", "crash", "typo", "clash") if hasattr(pl, name)]
told["star"] = "doubt" in pl.__all__
told["title"] = page.page("doubt").texts["zh"].title
lecture = report.lecture()
told["lecture"] = [method.name for method in lecture]
(section,) = (
    report._section(method, pl.load(device="cpu"), [pl.open_image("photo:cat")], True)
    for method in lecture if method.name == "doubt"
)
told["section"] = [section.page.texts["en"].question, section.places[0].command]
known = explainers.explainers()
told["foreign"] = sorted(name for name, each in known.items() if each.foreign)
told["usual"] = sorted(explainers.usual())
told["explainer"] = explainers.explainer("flat").method.name
Path("told.json").write_text(json.dumps(told))
"""


def unpacked(wheel: Path, folder: Path) -> Path:
    """A wheel of nothing but Python is installed by unpacking it."""
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plug-in, built and installed."""
    made = tmp_path_factory.mktemp("plugin")
    copy = shutil.copytree(PLUGIN, made / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    python("-m", "hatchling", "build", "-t", "wheel", "-d", str(made), path=[], folder=copy)
    (wheel,) = made.glob("*.whl")
    return unpacked(wheel, made / "site")


@pytest.fixture(scope="module")
def told(site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is seen where the plug-in is installed, and broken ones beside it."""
    broken = tmp_path_factory.mktemp("broken")
    for package, (source, points) in BROKEN.items():
        module = package.replace("-", "_")
        (broken / f"{module}.py").write_text(source, "utf-8")
        about = broken / f"{module}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (about / "entry_points.txt").write_text("\n".join(["[pellucid.methods]", *lines]) + "\n")
    folder = tmp_path_factory.mktemp("here")
    names = ["absent", "typo", "undefined", "crash", "clash", "other", "unsaid", "elsewhere"]
    python("-c", DRIVER, str(broken), *names, path=[site, broken], folder=folder)
    found: dict[str, Any] = json.loads((folder / "told.json").read_text("utf-8"))
    return found | {"folder": folder}


def test_it_is_a_command_and_nothing_is_imported_for_the_help(told: dict[str, Any]) -> None:
    assert told["help"]["code"] == 0
    assert "From pellucid-doubt" in told["help"]["said"]
    assert "doubt How the network's doubt changes with each pixel" in re.sub(
        r"[│╭╮╰╯─ ]+", " ", told["help"]["said"]
    )
    assert told["imported"] == []


def test_it_runs_and_is_replayed(told: dict[str, Any]) -> None:
    assert told["run"]["code"] == 0, told["run"]
    assert "nats saved doubt.png" in told["run"]["said"]
    assert told["replay"] == {"code": 0, "said": "the same, bit for bit"}
    assert told["doubt"] == "<method doubt>"
    assert not told["star"]


def test_it_has_its_page_and_its_place_in_the_tour(told: dict[str, Any]) -> None:
    assert told["title"] == "疑惑"
    pageless = ("clash", "flat")
    ordered = [name for name in told["lecture"] if name not in pageless]
    assert ordered[-1] == "doubt" and set(register.ours()) < set(ordered)
    question, command = told["section"]
    assert question == "Which pixels make the network unsure?"
    assert command == "pellucid doubt photo:cat"


def test_one_that_has_a_target_is_an_explanation_where_it_is_asked_for(
    told: dict[str, Any],
) -> None:
    assert told["foreign"] == ["flat"] and told["explainer"] == "flat"
    assert "flat" not in told["usual"] and "saliency" in told["usual"]


def test_where_it_is_missing_a_replay_says_whose_it_is(told: dict[str, Any]) -> None:
    with pytest.raises(pl.PellucidError) as refused:
        pl.replay(told["folder"] / "doubt.png")
    for word in ("'doubt'", "'pellucid-doubt'", "not installed", "0.3"):
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("absent", "'absent' of a-absent 1.0 cannot be used: there is no module"),
        ("typo", "SyntaxError"),
        ("undefined", "has no function 'undefined' under @method"),
        ("crash", "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("clash", "every command has ['force']"),
        ("other", "TypeError: other is function, not a pellucid method"),
        ("unsaid", "TypeError: unsaid does not say what it returns"),
        ("elsewhere", "MODULE:elsewhere, the function's own name"),
    ],
)
def test_a_broken_one_says_whose_it_is_and_why(told: dict[str, Any], name: str, says: str) -> None:
    refused = told["broken"][name]
    assert refused["code"] == 2, refused
    assert says in refused["said"]
    assert {"elsewhere": "f-other"}.get(name, f"-{name}") in refused["said"]
    assert "Traceback" not in refused["said"]


def test_names_belong_to_one(told: dict[str, Any]) -> None:
    """Ours stay, and of two packages the first in the alphabet has it; it is said where asked."""
    for name, owner in (("saliency", "pellucid"), ("doubt", "pellucid-doubt")):
        note = f"'{name}' is {owner}'s; z-rival 1.0 has a method of that name, which is not used"
        assert note in told[{"doubt": "run"}.get(name, name)]["said"]
    assert told["quiet"] == {"code": 0, "said": ""}
    (warned,) = told["warned"]
    assert "'doubt' is pellucid-doubt's" in warned
    assert told["has"] == ["doubt", "clash"]  # hasattr is told of the others as of any name


def test_doctor_lists_them_all(told: dict[str, Any]) -> None:
    assert told["doctor"]["code"] == 0  # a broken plug-in is no illness of pellucid's
    listed = json.loads(told["doctor"]["said"])["plugins"]
    problems = {(each["package"], each["method"]): each["problem"] for each in listed}
    assert problems.pop(("pellucid-doubt", "doubt")) == ""
    assert problems.pop(("e-clash", "clash")) == ""  # only its command is impossible
    assert problems["z-rival", "saliency"] == "the name belongs to pellucid"
    assert problems["z-rival", "doctor"] == "the name belongs to pellucid"
    assert problems["z-rival", "doubt"] == "the name belongs to pellucid-doubt"
    assert "no name in lower case" in problems["f-other", "Other-name"]
    assert problems.pop(("h-flat", "flat")) == ""
    assert all(problems.values()) and len(problems) == sum(len(p) for _, p in BROKEN.values()) - 2
    assert "no_such_thing" in told["table"]["said"]


def test_it_passes_its_own_tests_and_keeps_the_promises(site: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(PLUGIN / "tests", tmp_path / "tests")
    words = [*PYTEST, "-W", "error", "--rootdir", str(tmp_path)]
    said = python(*words, str(copy), path=[site], folder=tmp_path)
    assert re.search(r"\b(2[6-9]|[3-9][0-9]) passed", said), said


def test_no_command_of_ours_may_be_taken() -> None:
    commands = {each.name or each.callback.__name__ for each in app.registered_commands}
    own = {name.replace("_", "-") for name in register._own_names()}
    assert commands <= own
