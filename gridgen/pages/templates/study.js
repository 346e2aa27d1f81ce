// Links to a trial open it in a panel; without this script they lead to its part of the page.
const panel = document.getElementById("panel");
const trials = [...document.querySelectorAll("details.trial")];
let shown = -1;

function show(index) {
  const trial = trials[index];
  if (!trial) return;
  shown = index;
  document.getElementById("panel-title").textContent = trial.querySelector("summary").textContent;
  panel.querySelector(".held").replaceChildren(trial.querySelector(".body").cloneNode(true));
  panel.querySelector("[data-step='-1']").disabled = index === 0;
  panel.querySelector("[data-step='1']").disabled = index === trials.length - 1;
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#trial-']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const index = trials.findIndex((trial) => `#${trial.id}` === link.getAttribute("href"));
  if (index < 0) return;
  event.preventDefault();
  show(index);
});

panel.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button && button.dataset.step) show(shown + Number(button.dataset.step));
  // The backdrop counts as the dialog itself, what is in the panel does not.
  else if (event.target === panel || (button && "close" in button.dataset)) panel.close();
});

panel.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step) show(shown + step);
});
