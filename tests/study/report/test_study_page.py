"""The page of a search: complete, safe whatever names it holds, and one file."""

import re
import shlex
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from gridgen.architectures import load_spec
from gridgen.cli.terminal import spec_of
from gridgen.grid import build_grid
from gridgen.spec import GridSpec
from gridgen.study.report import page as module
from gridgen.study.report.answer import SearchAnswer
from gridgen.study.report.charts import against_costs, front, history
from gridgen.study.report.entries import build_command, changes
from gridgen.study.report.importances import LEAST_TRIALS, importances
from gridgen.study.report.page import study_page, write_page
from gridgen.study.report.result import Result
from gridgen.study.trials import Candidate
from tests.study.report.made import ASKED, candidate, record, study, training

HOSTILE = ("<script>alert(1)</script>", r"$\frac{1}{2}$", "\u202egnp.b", '"><img src=x>', "{{ 7 }}")


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.addresses, self.words, self.ids = [], [], [], []
        self.feed(text)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [v for name, v in attrs if name in ("src", "href", "srcset", "action")]
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_data(self, data):
        self.words.append(data)


def shown(records, asked=ASKED) -> Page:
    return Page(study_page(asked, records))


@pytest.fixture(scope="module")
def whole() -> Page:
    return shown(study())


def test_it_is_one_file_that_asks_for_nothing(whole):
    outside = [a for a in whole.addresses if not a.startswith(("data:image/", "#"))]
    assert outside == []
    assert whole.tags.count("script") == 1
    assert not {"link", "iframe", "object", "form"} & set(whole.tags)
    assert "http://" not in (text := study_page(ASKED, study(4))).replace("http://www.w3.org", "")
    assert "https://" not in text


def test_every_trial_is_reachable_and_every_link_leads_somewhere(whole):
    parts = {f"#{name}" for name in whole.ids}
    links = {address for address in whole.addresses if address.startswith("#")}
    assert links <= parts
    assert {f"#trial-{each.number}" for each in study()} <= links
    # In the table and as a point of the history, whatever became of it.
    for each in study():
        assert whole.addresses.count(f"#trial-{each.number}") >= 2
    assert len(whole.ids) == len(set(whole.ids))


def test_the_first_sentence_is_the_answer(whole):
    assert whole.text.index("Search ") < whole.text.index("val_iou, best")


def test_what_was_confirmed_is_shown_with_the_scores_of_fresh_seeds():
    unet = replace(candidate(base_channels=8, name="U-Net"), params={})
    found = [record(0, (0.60, 0.62), "baseline", made=unet), record(1, (0.63, 0.65))]
    before = shown(found).text
    assert "0.6400 val_iou, best (trial 1)" in before
    again = [
        record(2, (0.50, 0.52), "confirmation", of=1),
        record(3, (0.61, 0.63), "confirmation", of=0, made=unet),
    ]
    after = shown([*found, *again]).text
    assert "0.5100 val_iou, best (trial 1), fresh seeds" in after
    assert "0.6200 val_iou, baseline (trial 0), fresh seeds" in after


def test_all_that_is_known_of_a_trial_is_told(whole):
    trial = next(each for each in study() if each.state == "finished" and each.role == "searched")
    body = whole.text[whole.text.index("Trial by trial") :]
    told = [trial.candidate.name, changes(trial.candidate.recipe), f"{trial.scores[0]:.4f}"]
    told += [f"{trial.candidate.costs[name]:,}" for name in ("parameters", "macs", "activations")]
    assert all(each in body for each in told)


@pytest.mark.parametrize("reason", ["a step needs more memory than there is", "signal 9"])
def test_causes_of_failures_are_told(whole, reason):
    assert reason in whole.text


def test_reasons_of_refusals_are_told_with_their_numbers(whole):
    assert "parameters are more than 130,000 161" in whole.text
    assert "No refusal was counted." in shown(study(3), replace(ASKED, refused={})).text


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_whatever_they_hold(name):
    made = candidate()
    made = Candidate(name, {"<b>": name}, made.network, {name: name}, made.costs, "key")
    ended = replace(training(0, 0.5), folder=name, reason=name)
    asked = replace(
        ASKED, title=name, data=name, about=[(name, name)], stopped=name, refused={name: 3}
    )
    records = [
        record(0, (0.5, 0.6), made=made, known=name),
        record(1, state="failed", made=made, trainings=[ended], reason=name),
    ]
    text = study_page(asked, records)
    found, plain = Page(text), shown([record(0, (0.5, 0.6)), record(1, state="failed")])
    assert found.tags.count("script") == plain.tags.count("script") == 1
    assert found.tags.count("img") == plain.tags.count("img")
    assert "\u202e" not in text
    assert (name if "\u202e" not in name else r"\u202egnp.b") in found.text


@pytest.mark.parametrize("many", range(4))
def test_a_search_that_has_barely_begun_has_a_page(many):
    found = shown(study(3)[:many])
    verdict = "no answer yet" if many < 2 else "nothing was confirmed"
    assert verdict in found.text.lower()
    assert len([name for name in found.ids if name.startswith("trial-")]) == many


def test_what_is_not_over_is_said():
    running = [record(1, state="running")]
    assert "1 of its trials is not over" in shown(running).text
    paused = [record(number, state="running").paused(6) for number in (1, 2)]
    assert "2 of its trials are not over" in shown(paused).text
    assert "at epoch 6" in shown(paused).text
    assert "This search is not over." in shown(study(3, False), replace(ASKED, stopped="")).text


def test_networks_that_look_alike_are_drawn_once():
    same = [record(n, (0.5, 0.6), made=candidate(base_channels=n)) for n in (2, 4, 6)]
    assert shown(same).tags.count("symbol") == 1
    assert shown(same).tags.count("use") == 3


def test_of_many_trials_the_best_have_pictures_and_that_is_said(monkeypatch):
    monkeypatch.setattr(module, "MOST_DRAWN", 3)
    found = shown([record(n, (n / 10,)) for n in range(1, 6)])
    assert found.tags.count("use") == 3
    assert "the best trials, 3 together, have a picture and curves; 2 have none" in found.text
    assert {f"trial-{n}" for n in range(1, 6)} <= set(found.ids)


def test_hundreds_of_trials_are_a_page_of_few_megabytes():
    made = [each.candidate for each in study(12, False)]
    many = [record(n, (0.4, 0.5, 0.6), made=made[n % len(made)]) for n in range(300)]
    assert len(study_page(ASKED, many)) < 10_000 * 300


def test_the_front_holds_what_nothing_cheaper_beats():
    costs = [(30, 0.5), (10, 0.3), (20, 0.6), (40, 0.6), (10, 0.2)]
    entries = [
        record(n, (score,), made=replace(candidate(), costs={"parameters": cost}))
        for n, (cost, score) in enumerate(costs)
    ]
    assert front(entries, "parameters") == [(10, 0.3), (20, 0.6)]


def test_trials_without_an_end_are_hollow_or_crossed_at_the_foot():
    records = study()
    points = history(records, SearchAnswer.of(ASKED, records))["points"]
    looks = {each.number: point for each, point in zip(records, points, strict=True)}
    for each in records:
        if each.state == "pruned":
            assert looks[each.number]["style"] == "hollow"
        if each.state in ("failed", "infeasible"):
            assert looks[each.number]["shape"] == "cross"
    assert [p["style"] for p in points].count("winner") == 1


def test_a_cost_that_no_candidate_has_is_no_chart():
    made = replace(candidate(), costs={"parameters": 10})
    records = [record(0, (0.5,), made=made)]
    assert [each["name"] for each in against_costs(records, SearchAnswer.of(ASKED, records))] == [
        "parameters"
    ]


def test_importances_need_enough_trials():
    entries = SearchAnswer.of(ASKED, study(40)).entries
    assert importances(entries[: LEAST_TRIALS - 1]) == {}
    found = importances(entries)
    assert set(found) == {
        *("streams", "columns", "base_channels", "topology"),
        "recipe.learning_rate",
    }
    assert sum(found.values()) == pytest.approx(1)
    assert "Too few candidates to tell" in shown(study(5)).text


def test_what_decides_the_score_has_the_highest_importance():
    entries = [
        record(n, (n % 4 + n / 1000,), made=candidate(streams=2 + n % 2, base_channels=2 + n % 4))
        for n in range(40)
    ]
    assert max(importances(entries), key=importances(entries).get) == "base_channels"


def test_fields_under_a_condition_are_taken_where_they_vary():
    made = [candidate(streams=2), candidate(streams=3, base_channels=6)]
    made += [candidate(streams=3, base_channels=8)]
    entries = [record(n, (n % 3 + n / 1000,), made=made[n % 3]) for n in range(30)]
    assert "streams" in importances(entries)


@pytest.mark.parametrize(
    "spec",
    [
        GridSpec(streams=2, columns="1+1", base_channels=4, classes=3),
        GridSpec(streams=2, columns="1+1", channels=[4, 6], classes=3, total_dropout=0.2),
        GridSpec(
            streams=2,
            columns=["sub", "sub", "up"],
            base_channels=4,
            classes=2,
            units={"lateral": "bottleneck"},
            topology={"drop": ["sub_1_1"]},
        ),
        load_spec("unet-2015", base_channels=8),
    ],
)
def test_the_command_builds_the_same_network(spec):
    program, verb, name, *rest = shlex.split(build_command(spec, "x.safetensors"))
    assert [program, verb, *rest[-2:]] == ["gridgen", "build", "-o", "x.safetensors"]
    again = spec_of(name, rest[1:-2:2])
    assert again == spec
    # What was stored says all fields, and still the command is no longer.
    stored = type(spec)(**spec.complete())
    assert build_command(stored, "x.safetensors") == build_command(spec, "x.safetensors")
    assert build_grid(again).fingerprint == build_grid(spec).fingerprint


def test_the_page_is_written_into_the_folder_or_where_it_is_wanted(tmp_path):
    result = Result(tmp_path, ASKED, tuple(study(2)))
    assert write_page(result) == tmp_path / "report.html"
    assert write_page(result, tmp_path / "b.html").name == "b.html"
    beside = "trainings.csv beside this page."
    assert beside in (tmp_path / "b.html").read_text("utf-8")
    elsewhere = write_page(result, tmp_path / "pages" / "a.html").read_text("utf-8")
    assert beside not in elsewhere
    assert f"trainings.csv in {tmp_path}." in elsewhere


@pytest.mark.parametrize("asked", [ASKED, replace(ASKED, against={"macs": "minimize"})])
def test_without_baselines_there_is_no_word_on_them(asked):
    records = [each for each in study() if each.role != "baseline"]
    text = shown(records, asked).text.lower()
    assert "baselines" not in text
    assert "and its baseline" not in text
    assert "baselines" in shown(study(), asked).text.lower()
