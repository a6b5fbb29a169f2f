"""`copydesk evaluate`, `profile propose` and `model train`: scores, rules and weights from documents."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from pathlib import Path

from copydesk.commands.common import DONE, Commands, command
from copydesk.errors import UsageError
from copydesk.locations import place

__all__ = ["add"]


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands of this module."""
    _add_evaluate(commands)
    _add_profile(commands)
    _add_model(commands)


def _add_evaluate(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = command(commands, "evaluate", _evaluate, "scores against documents labelled by hand")
    add = parser.add_argument
    add(
        "gold",
        nargs="?",
        type=Path,
        metavar="GOLD",
        help="JSON lines, a label for each raw line (schemas/gold.yaml); or corrections, with --dataset",
    )
    add(
        "--raw", type=Path, metavar="DIR", help="the raw texts, ID.txt (default: the folder beside GOLD, named like it)"
    )
    add("--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if any)")
    add("--dataset", type=Path, metavar="DIR", help="judge with the knowledge of this dataset's newest release")
    add("--source", default="gold", metavar="NAME", help="the source as whose documents that knowledge counted them")
    add(
        "--by",
        choices=["outlet", "site", "kind", "language"],
        default="outlet",
        help="what rows are for (default: outlet)",
    )
    add("--worst", type=int, default=20, metavar="N", help="how many of the worst lines are listed (default: 20)")
    add("--json", action="store_true", help="everything as one JSON object")
    add("--audit", type=int, metavar="N", help="instead: draw N lines of --dataset, to judge in a page of its own")
    add("--seed", type=int, default=0, metavar="S", help="draw another sample (default: 0)")
    add("--out", type=Path, metavar="FILE", help="the page to write (default: DIST/NAME/review/audit-VERSION.html)")
    add("--audit-result", type=Path, metavar="FILE", help="instead: what the judged sample says of the whole corpus")


def _add_profile(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("profile", help="site profiles: propose one from the corpus")
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    propose = command(inner, "propose", _propose, "a site profile drafted from documents without labels")
    propose.add_argument(
        "paths", nargs="*", type=place, metavar="PATH", help="raw files (default: the configured sources)"
    )
    propose.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration (default: ./copydesk.toml, if any)"
    )
    propose.add_argument("--dataset", type=Path, metavar="DIR", help="from the ledger of this dataset's newest release")
    propose.add_argument("--site", metavar="NAME", help="which site, where the documents are of several")
    propose.add_argument(
        "--corrections", type=Path, metavar="FILE", help="only what people marked as furniture in --dataset"
    )
    propose.add_argument("--out", type=Path, metavar="FILE", help="write to this new file instead of the terminal")


def _add_model(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("model", help="the line model: train it again", description="The line model.")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    train = command(verbs, "train", _train, "learn the weights from gold files; the same files give the same bytes")
    train.add_argument(
        "gold", nargs="+", type=Path, metavar="GOLD", help="gold files: docs/model-card.md names their forms"
    )
    train.add_argument(
        "--dataset", type=Path, metavar="DIR", help="the dataset that files of corrections among them are about"
    )
    train.add_argument("--out", type=Path, required=True, metavar="FILE", help="the weights to write (.npz)")


def _evaluate(asked: argparse.Namespace) -> int:
    ways = [asked.gold, asked.audit, asked.audit_result]
    if sum(way is not None for way in ways) != 1:
        raise UsageError("evaluate what? give GOLD, or --audit N, or --audit-result FILE")
    if asked.audit is not None:
        return _draw(asked)
    return _estimate(asked) if asked.audit_result else _score(asked)


def _draw(asked: argparse.Namespace) -> int:
    from copydesk.config import load_config
    from copydesk.evaluation.audit import draw
    from copydesk.review.asked import audited, dataset_of

    config = load_config(asked.config)
    dataset = dataset_of(asked.dataset, config)
    sample = draw(dataset, asked.audit, seed=asked.seed)
    page = audited(dataset, sample, config, asked.out)
    told = f"{len(sample['lines'])} lines of {sample['dataset']} {sample['version']} to judge"
    print(f"{page}: {told}; open it, export {sample['file']}, then: copydesk evaluate --audit-result {sample['file']}")
    return DONE


def _estimate(asked: argparse.Namespace) -> int:
    from copydesk.estimate import estimate, read_audit, told

    found = estimate(read_audit(asked.audit_result))
    print(json.dumps(found, ensure_ascii=False) if asked.json else told(found))
    return DONE


def _score(asked: argparse.Namespace) -> int:
    from copydesk.carry import wanted_release
    from copydesk.config import load_config
    from copydesk.evaluation import evaluate, render
    from copydesk.evaluation.gold import as_gold
    from copydesk.lines.profiles import load_profiles

    config = load_config(asked.config)
    last = wanted_release(asked.dataset) if asked.dataset else None
    with as_gold(asked.gold, asked.dataset) as gold:
        found = evaluate(
            gold,
            asked.raw,
            knowledge=last.held_knowledge if last else None,
            profiles=load_profiles([config.below(path) for path in config.ingest.profiles]),
            source=asked.source,
            by=asked.by,
            limit=asked.worst,
        )
    print(
        json.dumps(found.as_json(), ensure_ascii=False) if asked.json else render(found), end="\n" if asked.json else ""
    )
    return DONE


def _propose(asked: argparse.Namespace) -> int:
    from copydesk.config import load_config
    from copydesk.drafting import draft_from_files, draft_from_release
    from copydesk.job import Options
    from copydesk.lines.profiles import load_profiles

    if asked.out and asked.out.exists():
        raise UsageError(f"{asked.out}: is there already; name a new file, a profile may hold somebody's work")
    if asked.dataset or asked.corrections:
        from copydesk.corrections import load_corrections
        from copydesk.review.asked import dataset_of

        config = load_config(asked.config)
        profiles = load_profiles([config.below(path) for path in config.ingest.profiles])
        said = load_corrections([asked.corrections]) if asked.corrections else None
        text = draft_from_release(dataset_of(asked.dataset, config), profiles, asked.site, said)
    else:
        text = draft_from_files(Options(paths=tuple(asked.paths), config=asked.config, name="draft"), asked.site)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
        print(f"{asked.out}: {text.count('[[rules]]')} rules drafted; read and correct them")
    else:
        print(text, end="")
    return DONE


def _train(asked: argparse.Namespace) -> int:
    os.environ["OMP_NUM_THREADS"] = "1"  # sums of several threads differ in their last bits
    from copydesk.evaluation.gold import as_gold
    from copydesk.lines.training import train

    with contextlib.ExitStack() as kept:
        train([kept.enter_context(as_gold(path, asked.dataset)) for path in asked.gold], asked.out)
    print(f"{asked.out}: {asked.out.stat().st_size} bytes")
    return DONE
