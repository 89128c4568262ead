from harness.plugins import digest


def digest_of(monkeypatch, tmp_path, text, base="WIDTH = 3\n"):
    package = tmp_path / "pack"
    package.mkdir(exist_ok=True)
    (package / "loss.py").write_text(text)
    (package / "base.py").write_text(base)
    monkeypatch.setattr(digest, "ROOT", tmp_path)
    return digest.source_digest("pack.loss")


LOSS = '"""Doc."""\nfrom pack.base import WIDTH\n\n\ndef loss(x):\n    return x * WIDTH\n'


def test_comments_docstrings_and_layout_do_not_count(monkeypatch, tmp_path):
    other = LOSS.replace('"""Doc."""', '"""Another."""  # why').replace("x * WIDTH", "x*WIDTH")
    assert digest_of(monkeypatch, tmp_path, LOSS) == digest_of(monkeypatch, tmp_path, other)


def test_code_counts_here_and_in_what_is_imported_from_here(monkeypatch, tmp_path):
    before = digest_of(monkeypatch, tmp_path, LOSS)
    assert digest_of(monkeypatch, tmp_path, LOSS.replace("*", "+")) != before
    assert digest_of(monkeypatch, tmp_path, LOSS, base="WIDTH = 4\n") != before


def test_every_method_has_a_digest_of_its_own():
    from methods import EXTRAS, METHODS

    digests = {digest.source_digest(m.__module__) for m in (METHODS | EXTRAS).values()}
    assert len(digests) == len(METHODS) + len(EXTRAS)
