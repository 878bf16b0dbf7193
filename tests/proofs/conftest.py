"""Each test of a proof file runs once for each of its proofs, with a progress record apart."""

import pytest


def pytest_generate_tests(metafunc):
    if "proof" in metafunc.fixturenames:
        metafunc.parametrize("proof", metafunc.cls.proofs, ids=str)


@pytest.fixture(autouse=True)
def progress_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_WORKSPACE", str(tmp_path))
