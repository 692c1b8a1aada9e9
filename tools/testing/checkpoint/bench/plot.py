# SPDX-License-Identifier: GPL-2.0-only
"""Draws the benchmark's times into an SVG file: two panels, logarithmic."""

import math

SERIES = (("criu", "criu", "#c44e52"), ("ckpt", "ckpt (the command)", "#4c72b0"),
          ("call", "the system call alone", "#55a868"), ("limit", "limit", "#8c8c8c"))
WIDTH, PANEL, LEFT, TOP, GAP = 960, 300, 70, 64, 110


def label(ms):
    if ms >= 1000:
        return f"{ms / 1000:g} s"
    return f"{ms:g} ms" if ms >= 1 else f"{ms * 1000:g} \u00b5s"


class Panel:
    """One diagram: a group of points for each case."""
    def __init__(self, top, title, cases, keys):
        self.top, self.title, self.cases, self.keys = top, title, cases, keys
        self.spreads = {(c.name, tool): c.spread(tool, keys[tool])
                        for c in cases for tool, _, _ in SERIES}
        ends = [v for s in self.spreads.values() if s for v in (s.min, s.max) if v > 0]
        self.low = math.floor(math.log10(min(ends))) if ends else 0
        self.high = max(math.ceil(math.log10(max(ends))) if ends else 1, self.low + 1)

    def y(self, ms):
        part = (math.log10(max(ms, 10 ** self.low)) - self.low) / (self.high - self.low)
        return self.top + PANEL * (1 - part)

    def axes(self):
        yield (f'<text x="{LEFT}" y="{self.top - 12}" font-size="15" '
               f'font-weight="bold">{self.title}</text>')
        for power in range(self.low, self.high + 1):
            y = self.y(10 ** power)
            yield (f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - 20}" y2="{y:.1f}" '
                   f'stroke="#ddd"/>')
            yield (f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
                   f'{label(10 ** power)}</text>')

    def points(self):
        step = (WIDTH - 20 - LEFT) / max(len(self.cases), 1)
        for i, case in enumerate(self.cases):
            middle = LEFT + step * (i + 0.5)
            for part, text in enumerate(case.name.split(", ")):
                yield (f'<text x="{middle:.1f}" y="{self.top + PANEL + 20 + 15 * part}" '
                       f'text-anchor="middle">{text}</text>')
            for n, (tool, _, colour) in enumerate(SERIES):
                s = self.spreads[case.name, tool]
                if s:
                    yield from self.point(middle + (n - 1.5) * step / 6, s, colour)

    def point(self, x, s, colour):
        yield (f'<line x1="{x:.1f}" y1="{self.y(s.min):.1f}" x2="{x:.1f}" '
               f'y2="{self.y(s.max):.1f}" stroke="{colour}" stroke-width="2"/>')
        yield (f'<circle cx="{x:.1f}" cy="{self.y(s.median):.1f}" r="4.5" fill="{colour}">'
               f'<title>{s} ms</title></circle>')

    def draw(self):
        yield from self.axes()
        yield from self.points()


def legend():
    x = LEFT
    for _, text, colour in SERIES:
        yield f'<circle cx="{x + 5}" cy="24" r="4.5" fill="{colour}"/>'
        yield f'<text x="{x + 15}" y="28">{text}</text>'
        x += 34 + 7 * len(text)
    yield (f'<text x="{WIDTH - 20}" y="28" text-anchor="end" fill="#666">'
           'dots: medians; lines: smallest to largest</text>')


def plot(path, machine, cases):
    second = TOP + PANEL + GAP
    height = second + PANEL + 60
    panels = (
        Panel(TOP, "Saving (limit: write(2) of the memory)", cases,
              {"criu": "save_ns", "ckpt": "save_ns", "call": "save_ns", "limit": "write_ns"}),
        Panel(second, "Restarting (limit: read(2) of the memory)", cases,
              {"criu": "restart_ns", "ckpt": "restart_ns", "call": "restart_ns",
               "limit": "read_ns"}))
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
             f'<title>checkpoint and restart on Linux {machine.get("kernel")}</title>',
             f'<rect width="{WIDTH}" height="{height}" fill="white"/>']
    lines += legend()
    for panel in panels:
        lines += panel.draw()
    lines.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
