"""`gridgen new`: what it prints, and where."""


def test_new_names_what_came_along_and_what_to_do_next(gridgen, place):
    code, out, err = gridgen("new", "a/project")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("specs    camvid-small.yaml, custom.yaml, gridnet.yaml,")
    assert "weights  README.md, camvid-small.safetensors" in lines
    assert any(line.startswith("docs     choices.md, cityscapes.md,") for line in lines)
    assert lines[-2:] == [
        "next     cd a/project, and try the commands in README.md",
        "wrote    a/project/README.md",
    ]
    assert (place / "a" / "project" / "specs" / "gridnet.yaml").is_file()


def test_a_folder_that_holds_anything_is_refused(gridgen, place):
    fact = f"{place} exists already and holds files; name another folder\n"
    assert gridgen("new", str(place)) == (2, "", fact)


def test_the_next_command_can_be_copied_whatever_the_folder_is_called(gridgen):
    assert "next     cd 'my  new', and try the commands" in gridgen("new", "my  new")[1]
