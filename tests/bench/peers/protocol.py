"""What every peer answers: the orders of networks.c on standard input.

A peer that has found its fastest way starts itself anew with the name of that
way as its last argument: then its memory is what that way takes, without the
others.  The libraries that were loaded before the network do not count, nor
does what it took only to get ready.
"""
import os
import statistics
import sys
import time


def status(what):
    """KB: VmRSS, of this process now; VmHWM, at most."""
    with open("/proc/self/status") as lines:
        for line in lines:
            if line.startswith(what):
                return int(line.split()[1])
    return 0


def forget_peak():
    """From now on VmHWM is the most since now."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def spent(step, count):
    """Milliseconds a step: by the clock, and of all threads."""
    wall, cpu = time.monotonic(), time.process_time()
    for _ in range(count):
        step()
    return ((time.monotonic() - wall) * 1e3 / count,
            (time.process_time() - cpu) * 1e3 / count)


def single(step, count):
    """Milliseconds: the median of single calls, and as spent() in a loop."""
    times = []
    for _ in range(count):
        start = time.perf_counter_ns()
        step()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) * 1e-6, spent(step, count)[1]


def fastest(ways, threads):
    """The name of the fastest of (name, step), after a few steps of each."""
    best = None
    for name, step in ways:
        for _ in range(3):
            step()
        taken = min(spent(step, 3)[threads == 1] for _ in range(3))
        print(f"  {name}: {taken:.4g} ms", file=sys.stderr)
        if best is None or taken < best[0]:
            best = taken, name
    return best[1]


def serve(name, kind, threads, before, check, ways, way=None):
    """Answers orders.  check(steps) gives the text; ways(wanted) yields (name,
    step) of all ways there are, or of the one that is wanted."""
    step = None
    if way is None:
        print(f"ready {name}", flush=True)
    else:
        step = next(ways(way))[1]
        for _ in range(3):
            step()
        forget_peak()
        print(way, flush=True)
    for line in sys.stdin:
        order, _, count = line.strip().partition(" ")
        if order == "check":
            print(check(int(count)), flush=True)
        elif order == "prepare":
            os.execv(sys.executable, [sys.executable, *sys.argv,
                                      fastest(ways(None), threads)])
        elif order == "run":
            measure = single if kind == "latency" else spent
            print("%.6f %.6f" % measure(step, int(count)), flush=True)
        elif order == "memory":
            print(status("VmHWM") - before, flush=True)
