"""The version of the installed heed."""

from importlib.metadata import version

VERSION = version("heed")
