"""What a user installs is what the repository tracks: no more, no less."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PACKAGES = ("features", "models", "pipelines")


def _tracked(root: Path) -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listing.stdout.splitlines() if (root / name).exists()]


@pytest.mark.slow
def test_the_wheel_built_from_the_sdist_holds_the_tracked_files_under_one_name(
    tmp_path: Path, project_root: Path
) -> None:
    tracked = _tracked(project_root)
    source = tmp_path / "source"
    for name in [*tracked, "pyproject.toml", "README.md", "LICENSE"]:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project_root / name, source / name)

    # Without --sdist or --wheel, build makes the wheel from the sdist it has just made.
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path / "dist")],
        cwd=source,
        check=True,
        capture_output=True,
    )

    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert inside == {f"leadlight/{name}" for name in tracked}
