"""Every public function of the library says where it comes from and shows an example that runs."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import calibration

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(calibration.__path__, "calibration.")
    if not module.name.endswith("__main__")
)


def public_functions():
    for name in MODULES:
        module = importlib.import_module(name)
        for thing_name, thing in vars(module).items():
            if inspect.isfunction(thing) and thing.__module__ == name and not thing_name.startswith("_"):
                yield pytest.param(thing, id=f"{name}.{thing_name}")


@pytest.mark.parametrize("function", list(public_functions()))
def test_a_public_function_has_a_source_and_an_example(function):
    text = inspect.getdoc(function) or ""

    assert ">>>" in text
    estimates = function.__module__.split(".")[1] not in {
        "arrays",
        "labels",
        "report",
        "words",
    }  # these compute no statistic
    assert "Source:" in text or not estimates


@pytest.mark.parametrize("name", MODULES)
def test_its_examples_run(name):
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)

    assert outcome.failed == 0
