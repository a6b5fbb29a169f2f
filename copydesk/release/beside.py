"""What stands beside the card: files that are functions of the newest manifest, named in the card with their hashes.

beside   croissant.json and the plots, by name
shown    the plots alone, which a card refers to: they are named by their contents and written before it
"""

from __future__ import annotations

from copydesk.release.croissant import render_croissant
from copydesk.release.folder import CROISSANT
from copydesk.release.manifest import Manifest
from copydesk.release.plots import render_plots

__all__ = ["beside", "shown"]


def beside(newest: Manifest) -> dict[str, bytes]:
    """Name below the dataset's folder to bytes."""
    return {CROISSANT: render_croissant(newest).encode(), **shown(newest)}


def shown(newest: Manifest) -> dict[str, bytes]:
    """The same of the plots."""
    return {plot.file: plot.data for plot in render_plots(newest.body).values()}
