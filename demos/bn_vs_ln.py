"""BatchNorm or LayerNorm, when which? Fifteen experiments, and a report with their pictures, figures and verdicts.

    python demos/bn_vs_ln.py                     # all of them, into runs/bn_vs_ln/report.html
    python demos/bn_vs_ln.py --quick             # smaller ones, in less than two minutes
    python demos/bn_vs_ln.py --only E3 E7 --seeds 10 --lang zh --out DIR

Interrupted, it goes on where it was when it is called again: with those runs that had the same settings and the same code of
their experiment. --log-dir and --wandb show each run when it is done, those of former calls too.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from pathlib import Path

from experiments import claims, report
from experiments.base import Experiment
from experiments.running import MODULES, Runner, experiments
from watching import Refused, not_installed

from tinynorm.utils.datasets import mnist

ABOUT_DATASET = "digits: 1,797 images of 8 x 8; the others: 1,800 of 28 x 28, which takes about twice as long"


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", nargs="+", default=[], metavar="E1", help="only these experiments")
    p.add_argument("--quick", action="store_true", help="shorter runs: the directions, not the figures")
    p.add_argument("--seeds", type=int, help="how many seeds (default 5, with --quick 2)")
    p.add_argument("--dataset", choices=["digits", "mnist", "fashion-mnist"], default="digits", help=ABOUT_DATASET)
    p.add_argument("--data-dir", type=Path, metavar="DIR", help="MNIST's files (default data/DATASET; missing: downloaded)")
    p.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    p.add_argument("--lang", choices=["en", "zh"], default="en", help="the report's language")
    p.add_argument("--out", type=Path, default=Path("runs/bn_vs_ln"), help="the folder of the report (default runs/bn_vs_ln)")
    p.add_argument("--log-dir", type=Path, metavar="DIR", help="also write each run there for TensorBoard (default: none)")
    p.add_argument("--wandb", action="store_true", help="also log each run to Weights & Biases, where wandb is installed")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    p.add_argument("--processes", type=int, default=cores, help=f"how many runs at a time (default {cores}, one a core)")
    return p


def main() -> int:
    p = parser()
    options = p.parse_args()
    unknown = [key for key in options.only if key not in MODULES]
    if unknown:
        known = ", ".join(sorted(MODULES, key=lambda key: int(key[1:])))
        p.error(f"--only {' '.join(unknown)}: there is no such experiment; they are {known}")
    seeds = options.seeds or (2 if options.quick else 5)
    if seeds < 1:
        p.error(f"--seeds: expected at least 1, got {seeds}")
    out = options.out
    data: dict[str, str] = {}
    if options.dataset != "digits":
        out, data = out / options.dataset, {"dataset": options.dataset}
        data["data dir"] = str((options.data_dir or Path("data") / options.dataset).resolve())
        try:
            mnist(data["data dir"], options.dataset)  # here, so that the runs, side by side, find the files
        except (OSError, ValueError) as error:
            p.error(str(error))
    out = out / "quick" if options.quick else out
    for option, wanted in (("--log-dir", options.log_dir), ("--wandb", options.wandb)):
        if wanted and (message := not_installed(option, sys.executable)):
            p.error(message)
    runner = Runner(out, options.quick, seeds, options.device, options.log_dir, options.wandb, data)
    chosen = experiments(options.only)
    start = time.perf_counter()
    try:
        progress(runner, chosen, options.processes)
    except KeyboardInterrupt:
        print(f"\nInterrupted. What is done is in {out / 'runs'}; the same command goes on from there.", file=sys.stderr)
        return 130
    except Refused as error:
        print(f"{error}\nWhat is done is in {out / 'runs'}; the same command goes on from there.", file=sys.stderr)
        return 1
    elapsed = time.perf_counter() - start
    write_report(runner, chosen, options.lang, elapsed)
    return 0


def write_report(runner: Runner, chosen: list[Experiment], lang: str, elapsed: float) -> None:
    """The report and the raw numbers; what was found is also said in the terminal."""
    say = report.speaker(lang)
    found = {e.key: runner.rows(e) for e in chosen}
    settings = {e.key: runner.settings(e) for e in chosen}
    answers, sections = {}, []
    for e in chosen:
        rows, s = found[e.key], settings[e.key]
        runner.write_csv(e)
        if not runner.data:  # the directions are those of the digits
            e.check(rows, s)
        answers[e.key] = e.verdict(rows, s).answer
        sections.append(report.section(e, rows, s, runner.seconds(e), lang, runner.out))
        print(f"{e.key}  {say(e.title)}\n    {say(answers[e.key])}")
    for claim, (word, figure) in claims.judged(found, settings):
        print(f"{say(claim.says)} {say(word).upper()}: {say(figure)}")
    about = f"{' '.join(['python', 'demos/bn_vs_ln.py', *sys.argv[1:]])}; {report.versions()}; {elapsed:.0f} s"
    page = report.page(sections, list(found), claims.answer(found, settings, answers, say), about, lang, runner.data)
    print(f"report        {report.write(runner.out / 'report.html', page)}")
    print(f"pictures      {runner.out}/E*.png\nraw numbers   {runner.out}/E*.csv\ntime          {elapsed:.0f} s")
    if runner.log_dir:
        print(f"event files   {runner.log_dir} (tensorboard --logdir {shlex.quote(str(runner.log_dir))})")
    if runner.wandb:
        print(f"W&B's files   {runner.out / 'wandb'} (wandb sync {shlex.quote(str(runner.out / 'wandb'))}/offline-run-*)")


def progress(runner: Runner, chosen: list, processes: int) -> None:
    """Do the runs, with a bar in a terminal and a line for each tenth elsewhere."""
    from tqdm import tqdm

    total = sum(len(runner.tasks(e)) for e in chosen)
    done = sum(len(set(runner.done(e)) & {t.name for t in runner.tasks(e)}) for e in chosen)
    if done:
        print(f"{done} of {total} runs are on file already")
    with tqdm(total=total, initial=done, disable=not sys.stderr.isatty(), unit="run") as bar:

        def after(key: str) -> None:
            bar.set_description(key)
            bar.update()
            n = bar.n if not bar.disable else after.count  # type: ignore[attr-defined]
            after.count += 1  # type: ignore[attr-defined]
            if bar.disable and (10 * (n + 1)) // total > (10 * n) // total:
                print(f"{n + 1} of {total} runs", flush=True)

        after.count = done  # type: ignore[attr-defined]
        runner.run(chosen, processes, after)


if __name__ == "__main__":
    sys.exit(main())
