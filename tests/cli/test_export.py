"""`gridgen export`, and what can be done with the file it writes."""

import re

from PIL import Image

from gridgen.errors import unknown


def test_export_says_what_it_wrote(with_run, gridgen):
    code, out, err = gridgen("export", "run", "-o", "w.safetensors", "--precision", "bf16")
    assert (code, err) == (0, "")
    assert re.search(r"^parameters  [0-9,]+ in bf16$", out, re.M)
    assert re.search(r"^classes     background, larger, smaller$", out, re.M)
    assert re.search(r"^size        [0-9]+ KiB$", out, re.M)
    assert out.endswith("wrote       w.safetensors\n")


def test_the_file_predicts_and_is_scored_without_the_run(with_run, gridgen, tmp_path):
    assert gridgen("export", "run", "-o", "w.safetensors", "--best")[0] == 0
    (with_run / "run").rename(with_run / "gone")
    code, out, err = gridgen("predict", "w.safetensors", "image.png")
    assert (code, out, err) == (0, "wrote  out/image.png, out/image_labels.png\n", "")
    with Image.open(with_run / "out" / "image_labels.png") as label:
        assert label.getpalette()[:3] != [0, 0, 0]
    code, out, err = gridgen("evaluate", "w.safetensors", "--data", "shapes", "--no-baseline")
    assert (code, err) == (0, "")
    assert "mean IoU" in out


def test_what_cannot_be_exported_is_one_line(with_run, gridgen):
    for arguments, message in (
        (
            ("run", "-o", "w.pt"),
            "-o: w.pt does not say in which form; end it in .safetensors (safetensors), .py "
            "(source), .onnx (onnx), .pt2 (program)",
        ),
        (
            ("run", "-o", "w.safetensors", "--precision", "fp8"),
            f"--precision: {unknown('precision', 'fp8', ['bf16', 'fp32'])}",
        ),
        (
            ("run/weights.safetensors", "-o", "run/weights.safetensors"),
            "-o: run/weights.safetensors is the file that is read; name another",
        ),
        (("none.safetensors", "-o", "w.safetensors"), "none.safetensors: no such file"),
    ):
        assert gridgen("export", *arguments) == (2, "", message + "\n")
    assert not (with_run / "w.safetensors").exists()
