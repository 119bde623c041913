import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import channels
import pytest
from channels import build_host

PACKAGE = Path(__file__).parent.parent
SOJOURN = Path(channels.__file__).parent.parent

ASK = """
import json, sys
from channels import build_host
from channels.codes import load
host = build_host()
key = "whatsapp_cloud"
found = {"keys": list(host.channels), "source": host.sources.get(key)}
if key in host.channels:
    import sojourn_whatsapp
    found["file"] = sojourn_whatsapp.__file__
    found["codes"] = len(load("sojourn_whatsapp", "whatsapp_cloud_codes.csv").exact)
    found["typed"] = __import__("pathlib").Path(sojourn_whatsapp.__file__).with_name("py.typed").exists()
print(json.dumps(found))
"""


def asked(*folders: Path) -> dict[str, object]:
    """What a fresh Python with these folders on its path finds plugged in."""
    path = os.pathsep.join(str(folder) for folder in (*folders, SOJOURN))
    ran = subprocess.run(
        [sys.executable, "-c", ASK],
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(ran.stdout)
    return found


@pytest.mark.slow
def test_installed_it_is_found_and_removed_it_leaves_the_host_whole(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    # A copy, because setuptools builds beside what it packs.
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, capture_output=True)
    found, without = asked(target), asked()
    assert found["source"] == "entry point whatsapp_cloud of sojourn-whatsapp 0.1.0"
    assert str(found["file"]).startswith(str(target))
    assert found["typed"]
    assert isinstance(found["codes"], int)
    assert found["codes"] > 50
    assert isinstance(found["keys"], list)
    assert isinstance(without["keys"], list)
    # The environment that runs the tests may have it installed.
    others = [[key for key in keys if key != "whatsapp_cloud"] for keys in (found["keys"], without["keys"])]
    assert others[0] == others[1]
    assert "smtp" in others[1]


def test_it_is_found_by_its_dotted_name() -> None:
    host = build_host(discover=False, modules=["sojourn_whatsapp"])
    assert host.channels["whatsapp_cloud"].channel == "whatsapp"


def test_it_knows_nothing_of_the_server() -> None:
    allowed = {"channels", "sojourn_whatsapp", "pydantic", "httpx", *sys.stdlib_module_names}
    for path in (PACKAGE / "sojourn_whatsapp").rglob("*.py"):
        own = allowed | ({"starlette"} if "testing" in path.parts else set())
        assert imported(ast.parse(path.read_text("utf-8"))) <= own, path


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(str(node.module).partition(".")[0])
    return names


def test_importing_it_loads_nothing_heavy() -> None:
    check = (
        "import sojourn_whatsapp, sys; print(*({'httpx', 'cryptography', 'starlette'} & set(sys.modules)))"
    )
    path = os.pathsep.join(map(str, (PACKAGE, SOJOURN)))
    ran = subprocess.run(
        [sys.executable, "-c", check],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == ""
