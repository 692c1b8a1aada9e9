#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""report.py [--tap] RAW DIR: turns what the benchmark measured into a table,
DIR/results.json and DIR/plot.svg. With --tap: test results instead."""

import json
import os
import statistics
import sys

from plot import plot

MIB = 1 << 20
BACKINGS = ("", " huge", " shared", " memfd")


class Spread:
    """Median, smallest and largest of some times in nanoseconds, in ms."""
    def __init__(self, values):
        values = [v / 1e6 for v in values]
        self.median = statistics.median(values)
        self.min = min(values)
        self.max = max(values)

    def __str__(self):
        return f"{show(self.median)} [{show(self.min)}-{show(self.max)}]"


def show(ms):
    if ms >= 100:
        return f"{ms:.0f}"
    return f"{ms:.3g}" if ms >= 1 else f"{ms:.2f}"


class Case:
    """All runs of all tools on one kind of process."""
    def __init__(self, size, backing, threads, processes, kind, things):
        self.size, self.backing, self.threads = size, backing, threads
        self.processes = processes
        self.kind, self.things = kind, things
        self.runs = {}
        self.errors = {}

    @property
    def name(self):
        size = f"{self.size // MIB} MiB" if self.size < 1024 * MIB else "1 GiB"
        if self.size < MIB:
            size = f"{self.size // 1024} KiB"
        size += BACKINGS[self.backing]
        if self.processes > 1:
            size = f"{self.processes} idle processes"
        if self.kind == "sparse":
            return f"{self.things} MiB of 1 TiB"
        if self.kind == "forked":
            return f"{self.things} MiB, 50 workers"
        if self.kind:
            return f"{self.things} {self.kind}s"
        return size if self.threads == 1 else f"{size}, {self.threads} threads"

    @property
    def is_shared(self):
        return self.backing > 1

    @property
    def extra(self):
        """Memory that a save took, in MiB; else None."""
        runs = self.runs.get("extra")
        return runs[0]["bytes"] / MIB if runs else None

    def add(self, line):
        if "error" in line:
            self.errors[line["tool"]] = line["error"]
        else:
            self.runs.setdefault(line["tool"], []).append(line)

    def spread(self, tool, *path):
        """Spread of a value of a tool's runs, or None."""
        values = []
        for run in self.runs.get(tool, []):
            for key in path:
                run = run.get(key, {})
            if run != {}:
                values.append(run)
        return Spread(values) if values and tool not in self.errors else None

    def image_bytes(self, tool):
        runs = self.runs.get(tool)
        return max(r["image_bytes"] for r in runs) if runs else None

    def sharing(self, tool):
        """Sums of Pss of private memory before and after, at worst, in MiB; else None."""
        runs = self.runs.get(tool)
        if not runs or tool in self.errors:
            return None, None
        return (min(r["pss_before_bytes"] for r in runs) / MIB,
                max(r["pss_after_bytes"] for r in runs) / MIB)

    def image_allowed(self, tool):
        """The bytes of its own plus 2 % plus 16 KiB for each process."""
        private = min(r["private_bytes"] for r in self.runs[tool])
        if self.is_shared:
            private += self.size
        return private * 1.02 + 16384 * self.processes


def ratio(a, b):
    return a.median / b.median if a and b else None


def read(path):
    machine, cases, start = {}, {}, []
    with open(path, encoding="utf-8") as file:
        for text in file:
            line = json.loads(text)
            if line["tool"] == "machine":
                machine = line
            elif line["tool"] == "true":
                start.append(line["save_ns"])
            else:
                key = (line["size"], line["backing"], line["threads"], line["processes"],
                       line["kind"], line["things"])
                cases.setdefault(key, Case(*key)).add(line)
    return machine, list(cases.values()), Spread(start) if start else None


def table(head, rows):
    rows = [head] + [[("-" if c is None else str(c)) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for n, row in enumerate(rows):
        print("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                        for i, (cell, w) in enumerate(zip(row, widths))).rstrip())
        if n == 0:
            print("  ".join("-" * w for w in widths))


def times(value):
    return None if value is None else f"{value:.3g}x"


def print_tables(cases):
    for verb, key, limit, limit_name, other in (
            ("save", "save_ns", "write_ns", "write(2)", "dump"),
            ("restart", "restart_ns", "read_ns", "read(2)", "restore")):
        print(f"\n{verb}: milliseconds, median [smallest-largest]\n")
        rows = []
        for c in cases:
            ckpt, call = c.spread("ckpt", key), c.spread("call", key)
            criu, bound = c.spread("criu", key), c.spread("limit", limit)
            rows.append([c.name, ckpt, call, criu, bound,
                         times(ratio(criu, ckpt)), times(ratio(criu, call)),
                         times(ratio(ckpt, bound)), times(ratio(call, bound))])
        table(["process", f"ckpt {verb}", "system call", f"criu {other}", limit_name,
               "criu/ckpt", "criu/call", "ckpt/limit", "call/limit"], rows)

        print("\nof which in the kernel, by its own figures\n")
        table(["process", "total", "frozen", "freeze", "collect", "save", "memory",
               "write" if verb == "save" else "read", "release"],
              [[c.name] + [c.spread("call", verb, k) and show(c.spread("call", verb, k).median)
                           for k in ("total", "frozen", "freeze", "collect", "save",
                                     "memory", "write", "release")] for c in cases])

    print("\nfork(2) of as large a process, images, and memory that a save takes for itself\n")
    rows = []
    for c in cases:
        row = [c.name, c.spread("limit", "fork_ns")]
        for tool in ("ckpt", "criu"):
            size = c.image_bytes(tool)
            row += [size, size and f"{100 * size / c.image_allowed(tool):.1f} %"]
        rows.append(row + [None if c.extra is None else f"{c.extra:.1f} MiB"])
    table(["process", "fork(2), ms", "ckpt image", "of allowed", "criu image", "of allowed",
           "ckpt memory"], rows)


def print_sharing(cases):
    """What processes share since fork(2): is it in the image, and in memory, once?"""
    rows = []
    for c in cases:
        if c.kind != "forked":
            continue
        row = [c.name]
        for tool in ("ckpt", "call", "criu"):
            before, after = c.sharing(tool)
            size = c.image_bytes(tool)
            row += [size and f"{size / MIB:.1f}", before and f"{before:.1f}",
                    after and f"{after:.1f}"]
        rows.append(row)
    if rows:
        print("\nshared since fork(2): image, and sum of Pss before and after, in MiB\n")
        table(["process", "ckpt image", "before", "after", "system call image", "before",
               "after", "criu image", "before", "after"], rows)


def items(case):
    """What the case has many of, and how many; else None."""
    if case.kind:
        return None
    if case.processes > 1:
        return "processes", case.processes
    return ("threads", case.threads) if case.threads > 1 and case.size < MIB else None


def print_items(cases):
    """Times for one of many, which show how they grow."""
    rows = []
    for c in cases:
        if not items(c):
            continue
        what, nr = items(c)
        row = [f"{nr} {what}"]
        for key in ("save_ns", "restart_ns"):
            for tool in ("ckpt", "call", "criu"):
                spread = c.spread(tool, key)
                row.append(spread and show(spread.median * 1000 / nr))
            row.append(times(ratio(c.spread("criu", key), c.spread("ckpt", key))))
        rows.append(row)
    if rows:
        print("\nfor one process or thread of many: microseconds, medians\n")
        table(["tree", "ckpt save", "system call", "criu dump", "criu/ckpt", "ckpt restart",
               "system call", "criu restore", "criu/ckpt"], rows)


def per_process(cases, key, nr):
    """Median time of our system call for one of so many processes."""
    for c in cases:
        if c.processes == nr and c.spread("call", key):
            return c.spread("call", key).median / nr
    return None


def tree_targets(cases):
    """What is to be reached by trees of processes."""
    found = []
    for verb, key in (("save", "save_ns"), ("restart", "restart_ns")):
        few, many = per_process(cases, key, 10), per_process(cases, key, 1000)
        found.append([f"time for one of 1000 processes / for one of 10: {verb}",
                      many / few if few and many else None, 1.2, "most"])
        for c in cases:
            if c.processes == 100:
                found.append([f"{c.name}: criu / ckpt {verb}",
                              ratio(c.spread("criu", key), c.spread("ckpt", key)), 50, "least"])
    return found


def per_thing(case, key):
    """Median time of our system call for one of the things, in ms."""
    return case.spread("call", key).median / case.things if case.spread("call", key) else None


def thing_targets(cases):
    """Things take linear time, and 1000 of a kind a twentieth of what criu takes."""
    found = []
    by_number = {(c.kind, c.things): c for c in cases if c.kind}
    for (kind, things), c in by_number.items():
        fewer = by_number.get((kind, things // 10))
        for verb, key in (("save", "save_ns"), ("restart", "restart_ns")):
            if things == 1000:
                found.append([f"{c.name}: criu / ckpt {verb}",
                              ratio(c.spread("criu", key), c.spread("ckpt", key)), 20, "least"])
            if fewer:
                few, many = per_thing(fewer, key), per_thing(c, key)
                found.append([f"time for one of {c.name} / for one of {fewer.things}: {verb}",
                              many / few if few and many else None, 1.2, "most"])
    return found


def sparse_targets(cases):
    """What is reserved costs nothing: so many MiB of 1 TiB are as so many MiB."""
    found = []
    dense = {c.size // MIB: c for c in cases
             if c.backing == 0 and c.threads == 1 and c.processes == 1 and not c.kind}
    for c in cases:
        if c.kind != "sparse" or c.things not in dense:
            continue
        for verb, key in (("save", "save_ns"), ("restart", "restart_ns")):
            found.append([f"{c.name} / {c.things} MiB: {verb}",
                          ratio(c.spread("call", key), dense[c.things].spread("call", key)),
                          1.2, "most"])
    return found


def sharing_targets(cases):
    """Pages that processes share are in the image once, and shared again."""
    found = []
    for c in cases:
        if c.kind != "forked" or not c.sharing("call")[0]:
            continue
        before, after = c.sharing("call")
        found.append([f"{c.name}: image / sum of Pss before",
                      c.image_bytes("call") / MIB / before, 1.1, "most"])
        found.append([f"{c.name}: sum of Pss after / before", after / before, 1.1, "most"])
    return found


def extra_targets(cases):
    """A save takes as much memory for itself whatever the size of the process."""
    return [[f"{c.name}: memory that a save takes, MiB", c.extra, 16, "most"]
            for c in cases if c.processes == 1 and c.threads == 1]


def targets(cases):
    """[text, measured, bound, 'least' or 'most'] of everything to be reached."""
    found = []
    calls = (("save", "save_ns", "write_ns", 20, 1.15, "write(2)"),
             ("restart", "restart_ns", "read_ns", 10, 1.3, "read(2)"))
    for c in cases:
        for verb, key, limit, factor, most, limit_name in calls:
            ckpt, call = c.spread("ckpt", key), c.spread("call", key)
            criu, bound = c.spread("criu", key), c.spread("limit", limit)
            if c.size == MIB and c.threads == 1:
                found.append([f"{c.name}: criu / ckpt {verb}", ratio(criu, ckpt), factor, "least"])
                found.append([f"{c.name}: criu / system call, {verb}", ratio(criu, call), 100,
                              "least"])
            if c.threads == 256 and c.size == MIB:
                found.append([f"{c.name}: criu / ckpt {verb}", ratio(criu, ckpt), 30, "least"])
            if c.size >= 256 * MIB:
                found.append([f"{c.name}: ckpt {verb} / {limit_name}", ratio(ckpt, bound), most,
                              "most"])
                found.append([f"{c.name}: system call, {verb} / {limit_name}", ratio(call, bound),
                              most, "most"])
        if c.image_bytes("ckpt") and not c.kind:
            found.append([f"{c.name}: image / private bytes + 2 % + 16 KiB",
                          c.image_bytes("ckpt") / c.image_allowed("ckpt"), 1, "most"])
    found += tree_targets(cases) + thing_targets(cases) + sparse_targets(cases)
    found += sharing_targets(cases) + extra_targets(cases)
    for target in found:
        text, value, bound, kind = target
        if value is None:
            target.append("not measured")
        else:
            target.append("met" if (value >= bound) == (kind == "least") or value == bound
                          else "MISSED")
    return found


def print_report(machine, cases, start):
    print(f"Linux {machine.get('kernel')}, {machine.get('cpus')} processors, "
          f"{machine.get('memory', 0) / (1 << 30):.1f} GiB; {machine.get('runs')} runs; "
          f"criu: {machine.get('criu')}")
    if start:
        print(f"A program that does nothing, from before its start to after its end: {start} ms")
    print_tables(cases)
    print_sharing(cases)
    print_items(cases)
    print("\ntargets\n")
    table(["what", "measured", "target", ""],
          [[text, value and f"{value:.3g}", f"at {kind} {bound}", verdict]
           for text, value, bound, kind, verdict in targets(cases)])
    for c in cases:
        for tool, error in c.errors.items():
            print(f"\n{c.name}: {tool} failed: {error}")


def write_json(path, machine, cases, start):
    def plain(spread):
        return spread and vars(spread)

    results = {"machine": machine, "unit": "ms", "start_of_a_program": plain(start), "cases": []}
    for c in cases:
        entry = {"process": c.name, "bytes": c.size, "backing": BACKINGS[c.backing].strip() or "private", "threads": c.threads,
                 "processes": c.processes, "kind": c.kind, "things": c.things,
                 "errors": c.errors}
        for tool in c.runs:
            if tool == "extra":
                entry["extra_bytes"] = c.runs[tool][0]["bytes"]
                continue
            entry[tool] = {}
            for key, value in c.runs[tool][0].items():
                if isinstance(value, dict):
                    entry[tool][key + "_kernel"] = {
                        k: plain(c.spread(tool, key, k)) for k in value
                        if k not in ("page_bytes", "tasks")}
                elif key.endswith("_ns"):
                    entry[tool][key[:-3]] = plain(c.spread(tool, key))
                elif key.endswith("_bytes"):
                    entry[tool][key] = value
        results["cases"].append(entry)
    results["targets"] = [dict(zip(("what", "measured", "target", "kind", "verdict"), t))
                          for t in targets(cases)]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
        file.write("\n")


def growth(few, many, key):
    """How much more time one thing takes where there are ten times as many, at best."""
    fastest = [min(run[key] for run in c.runs["call"]) / c.things for c in (few, many)]
    return fastest[1] / fastest[0]


def tap_results(cases):
    """[text, what is wrong or ""] of each test."""
    for tool, text in (("ckpt", "the command"), ("call", "the system calls")):
        errors = [f"{c.name}: " + c.errors.get(tool, "nothing was measured") for c in cases
                  if tool in c.errors or tool not in c.runs]
        yield f"all kinds of processes, by {text}", "; ".join(errors)
    greedy = [f"{c.name}: {c.extra} MiB" for c in cases if c.extra is None or c.extra > 16]
    yield "a save takes at most 16 MiB of memory for itself", "; ".join(greedy)
    shared = sharing_targets(cases)
    lost = [f"{text}: {value:.2f}" for text, value, bound, _ in shared if value > bound]
    yield ("what processes share since fork(2) is there once",
           "; ".join(lost) if shared else "nothing was measured")
    by_number = {(c.kind, c.things): c for c in cases if c.kind}
    for (kind, things), many in by_number.items():
        few = by_number.get((kind, things // 10))
        if not few or "call" not in few.runs or "call" not in many.runs:
            continue
        for key in ("save_ns", "restart_ns"):
            more = growth(few, many, key)
            # A coarse bound, for a busy machine: quadratic time would be ten.
            yield (f"{kind}s take linear time: {key[:-3]}",
                   "" if more < 4 else f"each takes {more:.1f} times as long")


def tap(cases):
    """Small cases as tests: did both ways work, and was the time linear?"""
    results = list(tap_results(cases))
    print(f"1..{len(results)}")
    for n, (text, wrong) in enumerate(results, 1):
        if wrong:
            print(f"# {wrong}")
        print(f"{'not ok' if wrong else 'ok'} {n} - bench: {text}")
    return sum(1 for _, wrong in results if wrong)


def main():
    args = [a for a in sys.argv[1:] if a != "--tap"]
    if len(args) != 2:
        sys.exit(__doc__)
    machine, cases, start = read(args[0])
    os.makedirs(args[1], exist_ok=True)
    write_json(os.path.join(args[1], "results.json"), machine, cases, start)
    plot(os.path.join(args[1], "plot.svg"), machine, cases)
    if "--tap" in sys.argv:
        sys.exit(tap(cases) != 0)
    print_report(machine, cases, start)
    print(f"\n{args[1]}/results.json, {args[1]}/plot.svg")


if __name__ == "__main__":
    main()
