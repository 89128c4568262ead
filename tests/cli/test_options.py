"""Every command names runs alike, and every option has its aliases."""

from typing import get_args, get_type_hints

import pytest
from typer.main import get_command

from harness.cli.app import app
from harness.runs.lookup import list_run_keys, short_id
from tests.support import run_folders
from tests.support.command_line import invoke

SUBMISSION = "20260101-000000-abcd"
ROWS = (2, 5, 11)  # digits of most digests, which must not count
# By command: arguments with the run in place of RUN, and where the key of a done run is printed.
VERBS = {
    "status": ["status", "RUN"],
    "logs": ["logs", "RUN"],
    "failures": ["failures", "RUN"],
    "retry": ["retry", "RUN"],
    "cancel": ["cancel", "RUN"],
    "diff": ["diff", "RUN", "RUN"],
    "score": ["score", "RUN", "--device", "cpu"],
    "measure-consistency": ["measure-consistency", "RUN", "--device", "cpu"],
    "consistency": ["consistency", "RUN", "--device", "cpu"],
    "export-embeddings": ["export-embeddings", "RUN", "--device", "cpu"],
    "embed": ["embed", "RUN", "--device", "cpu"],
    "compare-rankings": ["compare-rankings", "RUN", "RUN"],
    "ranked": ["ranked", "RUN", "RUN"],
    "bench cost": ["bench", "cost", "RUN", "--device", "cpu"],
}
SILENT = {"cancel", "failures"}  # print nothing about a run that is done


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Twelve students that are done, and their teacher."""
    runs = tmp_path_factory.mktemp("runs")
    for seed in range(12):
        run_folders.done(runs, seed, method="kd", teachers=(run_folders.TEACHER,))
    run_folders.submitted(runs, [(None, [list_run_keys(runs)[3]])], group=SUBMISSION)
    return runs


def called(verb, name, runs):
    return invoke(*(name if word == "RUN" else word for word in VERBS[verb]), "--runs", runs)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in SILENT])
def test_every_command_takes_the_same_names_of_a_run(verb, runs):
    keys = list_run_keys(runs)
    names = {str(row): keys[row - 1] for row in ROWS}
    names |= {short_id(keys[0]): keys[0], keys[1][:-2]: keys[1], SUBMISSION: keys[3]}
    for name, key in names.items():
        done = called(verb, name, runs)
        text = done.stdout + done.stderr
        assert [k for k in keys if k in text] == [key], (name, text)


@pytest.mark.parametrize("verb", VERBS)
def test_an_ambiguous_name_lists_the_candidates(verb, runs):
    done = called(verb, "synthetic/kd", runs)
    assert done.returncode == 2
    assert "'synthetic/kd' fits 12 runs" in done.stderr
    assert all(key in done.stderr for key in list_run_keys(runs)[:3])


@pytest.mark.parametrize("verb", VERBS)
def test_a_row_that_does_not_exist(verb, runs):
    done = called(verb, "13", runs)
    assert done.returncode == 2 and "There is no row 13" in done.stderr


ALIASES = {  # old spelling: the field's term
    "--pack": "--cohort-size",
    "--workers": "--num-workers",
    "--weights": "--pretrained",
    "--retry": "--retry-diverged",
    "--other": "--other-runs",
}


def commands(group, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_old_spellings_are_accepted_next_to_the_terms_of_the_field():
    spellings = {
        (name, frozenset(parameter.opts))
        for name, command in commands(get_command(app))
        for parameter in command.params
    }
    for old, new in ALIASES.items():
        users = [(name, opts) for name, opts in spellings if {old, new} & opts]
        assert users
        for name, opts in users:
            assert {old, new} <= opts, (name, opts)


def test_every_whole_number_has_a_largest_value():
    found = []
    for name, command in commands(get_command(app)):
        hints = get_type_hints(command.callback, include_extras=True)
        for option, (kind, *details) in (
            (o, get_args(hint) or [None]) for o, hint in hints.items()
        ):
            if kind in (int, int | None):
                found.append(f"{name} {option}")
                assert details[0].max is not None, found[-1]
    assert {"run threads", "run max_parallel", "retry pack", "bench cost steps"} <= set(found)


@pytest.mark.parametrize("option", ["--threads", "--num-workers", "--cohort-size"])
def test_a_number_beyond_any_machine_is_refused(option):
    done = invoke("plan", "--dataset", "synthetic", option, "9" * 20)
    assert done.returncode == 2 and option in done.stderr


OLD_VERBS_AND_OPTIONS = {
    "run": "--methods --exclude -x --dataset --data-root --study --teacher --student --head "
    "--seeds --teacher-seed --pack --set --weights --runs --device --precision --threads --workers "
    "--checkpoint-every --allow-partial --no-cache --dry-run -n --retry --cluster --max-parallel "
    "--watch --json --quiet -q",
    "status": "--state --runs --json",
    "logs": "--follow -f --raw --runs",
    "failures": "--only --runs --json",
    "retry": "--only --with --cluster --set --data-root --weights --pack --allow-partial --runs "
    "--quiet -q",
    "cancel": "--all --runs",
    "doctor": "--cluster --set --data-root --wait --runs --json",
    "diff": "--runs --other --json",
    "trace": "--runs --json",
    "report": "--runs --figures --no-figures",
    "list": "--json",
    "networks": "--identities",
    "score": "--runs --data-root --metric --ties --flip --rerank --k1 --k2 --lambda --device "
    "--workers --json --quiet -q",
    "consistency": "--runs --data-root --device --workers --quiet -q",
    "embed": "--runs --data-root --device --workers --quiet -q",
    "ranked": "--queries --runs --data-root --workers --quiet -q",
    "check-method": "--train --no-train",
    "new-method": "--folder",
    "fetch-weights": "",
    "data make": "--set --like --images --workers",
    "data check": "--dataset --data-root --deep --workers",
    "data cache": "--dataset --data-root --size --runs --workers --allow-partial",
    "data sheet": "",
    "bench consistency": "--queries --gallery",
    "bench evaluate": "--size --width --repeats --threads",
    "bench npdrk": "--images --repeats --threads",
    "bench loader": "--dataset --images --rounds",
    "bench gather": "--records --repeats",
    "bench extract": "--network --batch --size --head --repeats --runs --device --quiet -q",
    "bench cost": "--steps --runs --data-root --device --workers --quiet -q",
}


def test_every_verb_and_option_of_version_0_1_exists():
    tree = dict(commands(get_command(app))) | {"list": get_command(app).commands["list"]}
    for name, words in OLD_VERBS_AND_OPTIONS.items():
        known = {o for p in tree[name].params for o in (*p.opts, *p.secondary_opts)}
        assert set(words.split()) <= known, (name, set(words.split()) - known)
