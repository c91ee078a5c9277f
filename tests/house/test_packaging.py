"""What is installed and shipped: the lock, the image and the installation are what the project says they are."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.core.settings import Settings
from tests.analysis.asking import ROOT

FLOORS = {"components", "db", "pages", "providers", "services"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def distribution(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_everything_that_is_installed_has_one_version_and_its_hashes(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", "")
    rows = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(rows) > 80
    for row in rows:
        assert re.match(r"[\w.-]+(\[\w+\])?==\S+ .*--hash=sha256:", row), row[:80]
    wanted = PROJECT["project"]["dependencies"] + ("dev" in name) * PROJECT["dependency-groups"]["dev"]
    assert {distribution(one) for one in wanted} <= {distribution(row) for row in rows}


def test_the_locked_requirements_name_no_index_and_take_no_options() -> None:
    assert not [name for name in REQUIREMENTS if re.search(r"://|^-", (ROOT / name).read_text(), re.MULTILINE)]


def test_what_the_app_imports_is_among_its_requirements() -> None:
    ours = {distribution(one) for one in PROJECT["project"]["dependencies"]}
    known = packages_distributions()
    for path in [ROOT / "app.py", *(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))]:
        for name in _tops(path) - FLOORS - sys.stdlib_module_names:
            found = {one.lower().replace("_", "-") for one in known[name]}
            assert found & ours, f"{path.relative_to(ROOT)} imports {name}"


def test_the_image_holds_what_the_app_needs_and_can_be_built() -> None:
    copied = {source for source, _ in re.findall(r"^COPY (?!--from)(\S+) (\S+)$", DOCKERFILE, re.MULTILINE)}
    assert copied == FLOORS | {"app.py", ".streamlit", "requirements.txt"}
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sent == copied
    for name in copied:
        assert (ROOT / name).exists(), name


def test_the_image_has_two_stages_runs_as_nobody_special_and_says_whether_it_is_well() -> None:
    steps = re.findall(r"^(FROM|USER|HEALTHCHECK|CMD)\b", DOCKERFILE, re.MULTILINE)
    assert steps == ["FROM", "FROM", "USER", "HEALTHCHECK", "CMD"]
    assert re.search(r"^USER (?!root|0)\w+$", DOCKERFILE, re.MULTILINE)
    assert "/api/health" in DOCKERFILE
    assert 'Route("/api/health"' in (ROOT / "app.py").read_text()


def test_the_installation_sets_what_there_is_and_holds_no_secret() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    services: dict[str, Any] = compose["services"]
    assert set(services) == {"web", "worker", "database", "proxy"}
    assert services["worker"]["command"] == ["python", "-m", "services.jobs"]
    assert services["worker"]["environment"].items() < services["web"]["environment"].items()
    settings = {"DATABASE_URL", *(f"NUMBERDESK_{name.upper()}" for name in Settings.model_fields)}
    given = services["web"]["environment"]
    assert set(given) - {"FORWARDED_ALLOW_IPS"} <= settings
    secrets = [given["NUMBERDESK_ENCRYPTION_KEYS"], given["NUMBERDESK_COOKIE_KEY"], given["DATABASE_URL"]]
    assert all(":?" in value for value in [*secrets, services["database"]["environment"]["POSTGRES_PASSWORD"]])
    proxy = compose["configs"]["proxy"]["content"]
    assert "name web\n" in proxy
    assert "port 8501\n" in proxy
    assert "lb_policy cookie" in proxy
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]


def _tops(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name.split(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found
