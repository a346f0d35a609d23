"""Plots as SVG, drawn by hand: lines over a logarithmic axis, in colours that can be read on white and on black."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

# The middle of the scale: GitHub shows the same file on white and on black, whatever the reader's system prefers.
_TEXT = "#7a828e"
_GRID = "#7a828e"
_WIDTH, _HEIGHT = 720, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 190, 56, 56
_LABEL_HEIGHT = 16


@dataclass(frozen=True, slots=True)
class Series:
    """A line with its name and colour."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: str


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    start: float
    end: float
    log: bool
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)


def line_plot(title: str, *, x_label: str, y_label: str, series: Sequence[Series], log_y: bool = True) -> str:
    """Draw lines; the x axis is logarithmic."""
    points = [point for line in series for point in line.points]
    x = _sizes_axis([point[0] for point in points], _LEFT, _WIDTH - _RIGHT)
    values = [point[1] for point in points]
    y = (_log_axis if log_y else _linear_axis)(values, _HEIGHT - _BOTTOM, _TOP)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" font-family="system-ui, -apple-system, Segoe UI, sans-serif" font-size="13">'
    )
    parts = [
        opening,
        f"<title>{escape(title)}</title>",
        _text(_LEFT, 24, title, size=16, weight="600"),
        *_grid(x, y),
        _text((x.start + x.end) / 2, _HEIGHT - 12, x_label, anchor="middle"),
        _text(8, _TOP - 8, y_label),
    ]
    for line in series:
        places = [(x.place(a), y.place(b)) for a, b in line.points]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{line.colour}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{line.colour}"/>' for a, b in places]
    parts += _labels(series, x, y)
    return "\n".join([*parts, "</svg>", ""])


def _grid(x: _Axis, y: _Axis) -> list[str]:
    parts = []
    for tick in y.ticks:
        at = y.place(tick)
        parts.append(
            f'<line x1="{x.start}" x2="{x.end}" y1="{at:.1f}" y2="{at:.1f}" stroke="{_GRID}" stroke-opacity="0.3"/>'
        )
        parts.append(_text(x.start - 8, at + 4, _short(tick), anchor="end"))
    for tick in x.ticks:
        at = x.place(tick)
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y.start}" y2="{y.start + 5}" stroke="{_GRID}"/>')
        parts.append(_text(at, y.start + 20, _short(tick), anchor="middle"))
    return parts


def _labels(series: Sequence[Series], x: _Axis, y: _Axis) -> list[str]:
    """Write each line's name and last value at its end, moved apart where two would overlap."""
    ends = sorted((y.place(line.points[-1][1]), x.place(line.points[-1][0]), line) for line in series)
    parts = []
    lowest = -math.inf
    for at_y, at_x, line in ends:
        at = max(at_y, lowest + _LABEL_HEIGHT)
        lowest = at
        value = _short(line.points[-1][1], digits=3)
        parts.append(_text(at_x + 10, at + 4, f"{line.name}: {value}", colour=line.colour, weight="600"))
    return parts


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 13, weight: str = "400", colour: str = _TEXT
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def _sizes_axis(values: Sequence[float], start: float, end: float) -> _Axis:
    """Give a logarithmic axis from the least to the most, with a tick at each value."""
    return _Axis(min(values), max(values), start, end, log=True, ticks=tuple(sorted(set(values))))


def _log_axis(values: Sequence[float], start: float, end: float) -> _Axis:
    low, high = (10.0**rounded for rounded in (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))))
    ticks = tuple(10.0**power for power in range(round(math.log10(low)), round(math.log10(high)) + 1))
    return _Axis(low, high, start, end, log=True, ticks=ticks)


def _linear_axis(values: Sequence[float], start: float, end: float) -> _Axis:
    rough = max(values) / 4
    step = 10.0 ** math.floor(math.log10(rough))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= rough)
    count = math.ceil(max(values) / step)
    return _Axis(0, count * step, start, end, log=False, ticks=tuple(step * i for i in range(count + 1)))


def _short(value: float, digits: int = 2) -> str:
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:.{digits}g}" if value < 100 else f"{value:.0f}"
