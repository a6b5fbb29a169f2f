"""copydesk: raw news text in, clean, versioned, documented datasets out."""

__version__ = "0.1.0"
