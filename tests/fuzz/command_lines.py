"""Command lines drawn from the program's own commands and options, none of which trains."""

import typer

from harness.cli.app import app

WORDS = (
    "kd",
    "pdrd",
    "all",
    "none",
    "*",
    "cnn5",
    "resnet18",
    "bnneck",
    "msmt17",
    "market1501",
    "0",
    "1",
    "0,1",
    "same",
    "done",
    "failed",
    "fp32",
    "256x128",
    "cosine",
    "local",
    "comparison-msmt17:KD:mAP",
    "recipe.epochs=2",
    "kd.weight=1",
    "cluster.cpus=1",
    "seed0",
    "runs",
    ".",
    "new.py",
)
BAD_WORDS = (
    "",
    " ",
    "-",
    "--",
    "=",
    ".",
    "..",
    "../../etc",
    "/dev/null",
    "/proc/self/mem",
    "nosuch",
    "x:y",
    "a:b:c",
    "file.py",
    "x.yaml",
    "pipe.yaml",
    "nan",
    "inf",
    "-1",
    "1e999",
    "9" * 5000,
    "0x1",
    "1_0",
    "\u0661",
    "\x00",
    "\x1b]52;c;eA==\x07",
    "a\nb",
    "\udcff",
    "\u202e",
    "[bold]x[/nope]",
    "{}",
    "%s",
    "x" * 300,
    "a=b",
    "a.b=c",
    "recipe.epochs=nan",
    "recipe.lr=",
    "kd.weight=1e400",
    "data.seed=-1",
    "data.height=99999999",
    "resnet18=/dev/zero",
    "cluster.time=x",
    "cluster.gpus=-1",
    "[",
    "*[",
)
NUMBERS = ("0", "1", "2", "-1", "1.5", "nan", "inf", "9" * 30, "1e309", "x", "", "\u0663")
# What would download, train, measure for minutes or wait: only as requests that cannot be met.
FORCED = {
    "run": ("--dry-run", "--dataset", "nosuch"),
    "plan": ("--dataset", "nosuch"),
    "retry": ("--runs", "empty"),
    "check-method": ("--no-train",),
    "make": ("--set", "nosuch=1"),
    "cache": ("--dataset", "nosuch"),
    "logs": ("--runs", "empty"),
}
SKIPPED = ("fetch-weights", "bench", "doctor", "networks")


def commands():
    """Every command with the words that name it."""
    root = typer.main.get_command(app)
    found = []
    for name, command in root.commands.items():
        if name in SKIPPED:
            continue
        if hasattr(command, "commands"):
            found += [
                ((name, inner), one)
                for inner, one in command.commands.items()
                if inner not in SKIPPED
            ]
        else:
            found.append(((name,), command))
    return found


def draw_value(parameter, source):
    """A value for a parameter, likelier a bad one than a good one."""
    kind = repr(getattr(parameter, "type_descriptor", None) or parameter.type).lower()
    if "int" in kind or "float" in kind:
        return source.choice(NUMBERS)
    return source.choice(WORDS if source.random() < 0.45 else BAD_WORDS)


def draw(source, found):
    """One command line without the program's name."""
    names, command = source.choice(found)
    words = []
    for parameter in command.params:
        is_argument = parameter.param_type_name == "argument"
        if is_argument:
            words += [draw_value(parameter, source) for _ in range(source.choice((0, 1, 1, 1, 2)))]
        elif source.random() < 0.25 and "--follow" not in parameter.opts:
            option = source.choice([*parameter.opts, *parameter.secondary_opts])
            if getattr(parameter, "is_flag", False):
                words.append(option)
            elif source.random() < 0.2 and option.startswith("--"):
                words.append(f"{option}={draw_value(parameter, source)}")
            else:
                words += [option, draw_value(parameter, source)]
    if source.random() < 0.03:
        words.insert(source.randrange(len(words) + 1), source.choice(("--nosuch", "-Z", "--help")))
    if len(words) > 2 and source.random() < 0.05:
        del words[source.randrange(len(words))]
    return (*names, *words, *FORCED.get(names[-1], ()))
