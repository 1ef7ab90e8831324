"""The container file: nothing unpinned, nothing that is not there, and nobody who is root."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINES = [
    line.split(maxsplit=1)
    for line in (ROOT / "Containerfile").read_text(encoding="utf-8").splitlines()
    if re.match(r"[A-Z]+ ", line)
]


def said(instruction: str) -> list[str]:
    return [words for name, words in LINES if name == instruction]


def test_the_base_is_one_pinned_image() -> None:
    images = {words.split()[0] for words in said("FROM")}
    (image,) = images
    assert re.fullmatch(r"[a-z./]+:3\.1[123]\.\d+-slim-\w+", image)


def test_what_is_copied_is_there_and_let_through() -> None:
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "*"
    for words in said("COPY"):
        if words.startswith("--from"):
            continue
        for source in words.split()[:-1]:
            assert (ROOT / source).exists()
            assert f"!{source}" in ignored


def test_packages_come_with_their_hashes_and_none_beside_the_lock() -> None:
    installs = [words for words in said("RUN") if "pip install" in words]
    assert installs
    for words in installs:
        assert "--require-hashes -r" in words or "--no-deps /tmp/wheels" in words


def test_the_lock_of_the_container_is_a_part_of_the_projects() -> None:
    pinned = re.compile(r"^([\w.-]+==\S+)", re.MULTILINE)
    run, whole = (
        set(pinned.findall((ROOT / name).read_text(encoding="utf-8")))
        for name in ("requirements-run.lock", "requirements.lock")
    )
    assert run < whole
    assert not {each for each in run if each.startswith(("pytest", "ruff", "mypy", "pyspark"))}


def test_it_runs_as_nobody_special_in_the_projects_folder() -> None:
    assert said("USER")[-1] == "10001"
    assert [name for name, _ in LINES].index("USER") > 0
    assert said("WORKDIR")[-1] == said("VOLUME")[-1] == "/project"
    assert said("ENTRYPOINT") == ['["leadlight"]']
