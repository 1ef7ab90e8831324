"""What all tests share: where the real data lies, and CI's rule that nothing is skipped."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import leadlight_process
from small_project import SmallProject, make_small_project

pytest_plugins = ["spark_session"]

ROOT = Path(__file__).resolve().parent.parent

# Tests of several files run side by side: threads of a training would take each other's core.
# Those who mean several say so.
os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")


@pytest.fixture(scope="session")
def project_root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public data sets; see examples/ for where each is to be had."""
    data = Path(os.environ.get("LEADLIGHT_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        pytest.skip(f"no real data at {data}: set LEADLIGHT_DATA to its folder")
    return data


@pytest.fixture(scope="session")
def trained_small_project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """The small project, trained once for all; whoever does more than read works on a copy."""
    project = make_small_project(tmp_path_factory.mktemp("trained") / "project")
    trained = leadlight_process("train", "-c", project.config, "--json")
    assert trained.code == 0, trained.error
    (project.directory / "trained.json").write_text(trained.out, encoding="utf-8")
    return project


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(
    session: pytest.Session, exitstatus: int | pytest.ExitCode
) -> Iterator[None]:
    """With LEADLIGHT_NO_SKIPS set, as in CI, a skipped test fails the run."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", [])) if reporter else 0
    if os.environ.get("LEADLIGHT_NO_SKIPS") and skipped and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\n{skipped} skipped, and LEADLIGHT_NO_SKIPS forbids it")  # noqa: T201
