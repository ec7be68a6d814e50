/* Charts: what a bar stands for is told at the pointer, and to the arrow keys. Without
   this the browser shows it as the bar's title, and the tables below have all of it. */
"use strict";

function lively(chart) {
  const drawing = chart.querySelector(".drawing");
  const svg = drawing.querySelector("svg");
  const told = drawing.querySelector("output");
  const bars = [...svg.querySelectorAll(".hit")];
  const texts = bars.map((bar) => {
    const title = bar.querySelector("title");
    title.remove(); // Or it would be shown twice.
    return title.textContent;
  });
  let at = bars.length - 1;

  function show(place) {
    at = Math.max(0, Math.min(bars.length - 1, place));
    bars.forEach((bar, n) => bar.classList.toggle("shown", n === at));
    told.textContent = texts[at];
    // In parts of the drawing: it stays within when the window changes.
    const wide = told.offsetWidth;
    const middle = (100 * (at + 0.5)) / bars.length;
    told.style.left = `max(0px, min(100% - ${wide}px, ${middle}% - ${wide / 2}px))`;
  }
  function hide() {
    bars[at]?.classList.remove("shown");
    told.textContent = "";
  }

  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  svg.tabIndex = 0;
  svg.addEventListener("focus", () => { if (svg.matches(":focus-visible")) show(at); });
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    if (!(event.key in steps)) return;
    event.preventDefault();
    show(at + steps[event.key]);
  });
  svg.addEventListener("pointermove", (event) => {
    const place = bars.indexOf(event.target);
    if (place >= 0) show(place);
  });
  svg.addEventListener("pointerleave", hide);
}

document.querySelectorAll("[data-chart]").forEach(lively);
