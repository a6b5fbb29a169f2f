"""Notices: telling people who do not look what a run on a schedule came to.

    Notice    what happened to which dataset, in words and as data
    notices   those that an outcome is worth
    tell      hand one to the program and the webhook of `[notify]`, if it is of a kind they want

A notice that cannot be delivered fails no run; `tell` gives the reason, for the log.
"""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from copydesk.config import Notify
from copydesk.outcome import ADVICE, SHOWN, Outcome

__all__ = ["Notice", "failure", "notices", "tell"]

SECONDS: Final = 30.0
"""For the program, and for the webhook: a run does not wait longer for whom it tells."""


@dataclass(frozen=True)
class Notice:
    """What happened. `kind` is failure, drift, quarantine or release; `text` is for people."""

    kind: str
    dataset: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)


def failure(dataset: str, reason: str) -> Notice:
    """That a run failed."""
    return Notice("failure", dataset, f"copydesk: the ingest of {dataset} failed: {reason}", {"reason": reason})


def notices(outcome: Outcome) -> Iterator[Notice]:
    """What an outcome gives reason to tell: drift, a quarantine that has grown, a release."""
    name = outcome.name
    if outcome.drift:
        told = "\n".join(str(one) for one in outcome.drift)
        found = [asdict(one) for one in outcome.drift]
        yield Notice("drift", name, f"copydesk: {name}: {told}\n{ADVICE}", {"findings": found})
    if outcome.grown:
        told = "\n".join(f"{uri}: {reason}" for uri, reason in outcome.grown[:SHOWN])
        rows = [{"uri": uri, "reason": reason} for uri, reason in outcome.grown[:SHOWN]]
        text = f"copydesk: {name}: {len(outcome.grown)} more documents in quarantine\n{told}"
        yield Notice("quarantine", name, text, {"documents": len(outcome.grown), "first": rows})
    if outcome.version:
        details = {"version": outcome.version, "cause": outcome.cause, "documents": outcome.documents}
        yield Notice("release", name, f"copydesk: {outcome.headline}", details)


def tell(to: Notify, notice: Notice) -> list[str]:
    """Deliver a notice where it is wanted; gives the reasons why that failed, if it did."""
    if notice.kind not in to.on:
        return []
    body = json.dumps(asdict(notice), ensure_ascii=False).encode()
    failed = [_run(to.command, body)] if to.command else []
    failed += [_post(to.webhook, body)] if to.webhook else []
    return [reason for reason in failed if reason is not None]


def _run(command: tuple[str, ...], body: bytes) -> str | None:
    try:
        done = subprocess.run(list(command), input=body, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603 -- the person's own program, from their copydesk.toml
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"[notify] command {command[0]!r}: {error}"
    told = done.stderr.decode(errors="replace").strip()[-300:]
    return f"[notify] command {command[0]!r} ended with {done.returncode}: {told}" if done.returncode else None


def _post(address: str, body: bytes) -> str | None:
    if not address.startswith(("https://", "http://")):
        return "[notify] webhook: not an http(s) address"
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310 -- checked above
    try:
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310 -- checked above
            return None
    except (OSError, ValueError) as error:
        # The address may hold a secret: it is in no log.
        return f"[notify] webhook: {getattr(error, 'reason', None) or type(error).__name__}"
