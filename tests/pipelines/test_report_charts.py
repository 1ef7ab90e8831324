"""Charts: specifications with records, and the SVG that enters a page."""

import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import report_samples as samples

from leadlight.pipelines.report.chart import PALETTE, chart_spec, render_svg
from leadlight.pipelines.report.figures import draw_charts
from leadlight.pipelines.report.plots import training_plots
from leadlight.pipelines.report.summary import summarize, summarize_training

SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).parents[2]


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own


@pytest.fixture(scope="module")
def drawn():
    return draw_charts(summarize(**samples.everything()))


def test_every_specification_is_drawn(drawn):
    specs = {
        path.name.removesuffix(".json")
        for path in (files("leadlight.pipelines.report") / "charts").iterdir()
        if path.name.endswith(".json")
    }
    # The lead card draws its own two: tests/pipelines/test_explain.py.
    shapes = {f"shape_{place}" for place in range(1, len(samples.SHAPES) + 1)}
    assert set(drawn) == specs - {"theme", "timeline", "waterfall", "shape"} | shapes


def test_charts_hold_shapes_and_text_only(drawn):
    for svg in drawn.values():
        for element in parsed(svg).iter():
            assert element.tag.removeprefix(SVG) in {"svg", "g", "path", "rect", "line", "text"}
            assert not {name for name in element.attrib if name.startswith(("on", "{"))}
            assert not {"id", "href", "style"} & set(element.attrib)


def test_charts_say_in_words_what_they_show(drawn):
    for svg in drawn.values():
        root = parsed(svg)
        assert root.get("role") == "img"
        assert len(root.get("aria-label")) > 30


def test_another_process_draws_the_same_bytes(drawn):
    code = (
        "import sys; sys.stdout.reconfigure(encoding='utf-8')\n"
        "import report_samples as s\n"
        "from leadlight.pipelines.report.figures import draw_charts\n"
        "from leadlight.pipelines.report.summary import summarize\n"
        "print(''.join(draw_charts(summarize(**s.everything())).values()), end='')"
    )
    again = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "tests",
        env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert again.stdout.decode() == "".join(drawn.values())


def test_hostile_text_in_a_chart_stays_text():
    for text in samples.HOSTILE[:6]:
        rows = [{"rank": 0, "label": text, "family": "fit", "share": 1.0, "amount": text}]
        svg = render_svg(chart_spec("reasons", {"reasons": rows}), text)
        root = parsed(svg)
        assert {element.tag for element in root.iter()} <= {
            SVG + tag for tag in ("svg", "g", "path", "rect", "text")
        }
        assert root.get("aria-label") == text
        assert text in {element.text for element in root.iter(SVG + "text")}


def test_a_renderer_that_emits_anything_else_is_refused():
    spec = {"data": {"values": [{"u": "x"}]}, "mark": "image", "encoding": {"url": {"field": "u"}}}
    with pytest.raises(ValueError, match="<image>"):
        render_svg(spec, "An image")


def test_colours_of_the_page_are_variables_and_none_is_left_over(drawn):
    known = set(PALETTE) | {"transparent", "none"}
    for svg in drawn.values():
        for element in parsed(svg).iter():
            for name in ("fill", "stroke"):
                value = element.get(name, "none")
                match = re.fullmatch(r"var\(--[a-z]+, (#[0-9a-f]{6})\)", value)
                assert (match[1] if match else value) in known


def test_the_reliability_chart_has_a_point_and_an_interval_for_each_bin():
    summary = summarize(**samples.everything())
    svg = draw_charts(summary)["reliability"]
    points = [path for path in parsed(svg).iter(SVG + "path") if "A" in path.get("d", "")]
    assert len(points) == len(summary["reliability"]["bins"])


def test_a_shape_has_a_point_for_each_value_and_a_line_for_the_range_around_it(drawn):
    steps = samples.SHAPES[0]["steps"]
    root = parsed(drawn["shape_1"])
    points = [path for path in root.iter(SVG + "path") if "A" in path.get("d", "")]
    assert len(points) == len(steps)
    assert len({point.get("transform") for point in points}) == len(steps)
    texts = {element.text for element in root.iter(SVG + "text")}
    assert {"2 to 4", "24% of 1,100 won"} <= texts
    texts = {element.text for element in parsed(drawn["shape_2"]).iter(SVG + "text")}
    assert {"student", "900 leads"} <= texts


def test_a_chart_without_data_is_not_drawn():
    bare = samples.evaluation() | {"reliability": [], "lift_curve": []}
    assert draw_charts(summarize(metadata=samples.METADATA, evaluation=bare)) == {}
    assert "volume" not in draw_charts(summarize(**samples.flat()))


def test_a_training_run_leaves_its_plots():
    plots = training_plots(summarize_training(samples.story()))
    assert set(plots) == {
        "threshold.svg", "volume.svg", "reasons.svg", "reliability.svg", "segments.svg",
        "gain.svg", "lift.svg", "shape_1.svg", "shape_2.svg",
    }  # fmt: skip


def test_the_segments_chart_marks_the_promise_that_was_missed(drawn):
    bad = f"var(--bad, {'#b4374f'})"
    points = [path for path in parsed(drawn["segments"]).iter(SVG + "path") if "A" in path.get("d")]
    assert len(points) == len(samples.SEGMENTS)
    assert [path.get("fill") for path in points].count(bad) == 1
