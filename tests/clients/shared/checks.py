"""What a check may say, and the report over all of them.

A check is a function whose name starts with `check_`; it fails by any exception. Two marks tell
when it may be left out: `new` (an older server of another make lacks the command; Reddle must have
it) and `once` (no server needs to have it yet; the check waits for it).
"""

import sys
import time
import traceback


class Report:
    """Counts, and prints what failed and what was left out."""

    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.waiting = {}

    def run(self, title, check, *arguments):
        """Runs one check; true when it passed."""
        try:
            check(*arguments)
        except Exception as error:  # every failure is reported, and the others still run
            self.fail(title, error)
            return False
        self.passed += 1
        return True

    def fail(self, title, error):
        self.failed += 1
        print(f"FAILED {title}: {describe(error)}", flush=True)

    def wait(self, name, command):
        """Notes that a check was left out because the server lacks a command."""
        self.waiting.setdefault(command, set()).add(name)

    def end(self):
        """Prints the totals; the exit code of the program."""
        for command, names in sorted(self.waiting.items()):
            print(f"left out until the server has {command}: {', '.join(sorted(names))}")
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0


def new(command):
    """Marks a check of a command that Reddle has and some other servers lack."""
    return lambda check: _mark(check, command, False)


def once(command):
    """Marks a check that is left out until the server has the command."""
    return lambda check: _mark(check, command, True)


def _mark(check, command, waits):
    check.command = command
    check.waits = waits
    return check


def of_module(module):
    """The checks of a module in the order of the file, as (title, function)."""
    names = [name for name in vars(module) if name.startswith("check_")]
    return [(f"{module.__name__}.{name[6:]}", getattr(module, name)) for name in names]


def equal(got, wanted, what=""):
    if got != wanted or type(got) is not type(wanted):
        raise AssertionError(f"{what + ': ' if what else ''}got {short(got)}, not {short(wanted)}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def within(got, low, high, what=""):
    if not low <= got <= high:
        raise AssertionError(f"{what + ': ' if what else ''}got {got}, not {low}..{high}")


def raises(kind, text, call, *arguments, **named):
    """Calls, and expects an exception of exactly this class whose text holds `text`."""
    try:
        got = call(*arguments, **named)
    except Exception as error:
        if type(error) is not kind or text not in str(error):
            raise AssertionError(
                f"raised {type(error).__name__}({short(str(error))}), "
                f"not {kind.__name__}({text!r})"
            ) from None
        return error
    raise AssertionError(f"returned {short(got)}, instead of raising {kind.__name__}({text!r})")


def eventually(condition, what, seconds=10):
    """Waits for what happens in the background."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.002)


def pairs(reply):
    """A map, which is a flat list in RESP2."""
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2]))


def short(value):
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:300]}... ({len(text)} characters)"


def describe(error):
    """The error and the line of the check that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/tests/clients/" in f.filename and "/shared/" not in f.filename]
    place = f" ({ours[-1].name}, line {ours[-1].lineno}: {ours[-1].line})" if ours else ""
    text = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    return text + place


if __name__ == "__main__":
    sys.exit("a library of the client tests; run tests/clients/*/run")
