"""What ``analyze --privacy-audit`` takes."""

from __future__ import annotations

from program import call

AUDIT = ("analyze", "--privacy-audit", "labels.csv")


def test_what_an_audit_does_not_use_is_refused_in_one_error(tmp_path):
    flags = ["--deidentify", "--overlay", "--causal", "--link"]
    valued = {"--mask": "1,2,3,4", "--pause": "1:00-2:00", "--segments": "1,2", "--name": "a", "--guideline": "none"}
    words = [*flags, *(word for pair in valued.items() for word in pair), "--classify", "b", "a.mp4"]
    done = call(*AUDIT, *words, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("error: ")) == (2, 1)
    for name in (*flags, *valued, "--classify", "VIDEO"):
        assert name in done.stderr, name
    assert "--inbody" not in done.stderr


def test_a_default_is_refused_where_it_is_given(tmp_path):
    assert "--step" in call(*AUDIT, "--step", 2, cwd=tmp_path).stderr


def test_what_an_audit_uses_is_taken(tmp_path):
    used = ["--inbody", "a", "--quality", "c", "--rate", 2, "--padding", 2, "--plain", "--batch", 4, "--threads", 1]
    used += ["--out", "b", "--outside-class", "c", "--device", "cpu", "--json"]
    done = call(*AUDIT, *used, cwd=tmp_path)
    assert done.returncode == 2
    assert "labels.csv" in done.stderr
    assert "not used" not in done.stderr
