"use strict";
(() => {
  const numbers = JSON.parse(document.getElementById("numbers").textContent);
  const written = (value) => (Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(2) : String(+value.toPrecision(4)));

  // Samples: a slider over time, a choice of kind, and a button that plays.
  const figure = document.getElementById("samples");
  if (figure) {
    const [image, slider, choice, play, caption] = ["img", "input", "select", "button", "figcaption"].map((one) => figure.querySelector(one));
    const link = figure.querySelector("a");
    const pathOf = (moment) => {
      const [seen, kinds] = numbers.grids[moment];
      return kinds[choice.value] === undefined ? null : { seen, path: "snapshots/" + kinds[choice.value] };
    };
    const show = () => {
      const moment = Number(slider.value);
      const grid = pathOf(moment);
      const words = `${numbers.grids[moment][0].toLocaleString("en")} images`;
      slider.setAttribute("aria-valuetext", words);
      image.hidden = link.hidden = !grid;
      caption.textContent = grid ? words : `${words}: no such grid was drawn then`;
      if (!grid) return;
      image.src = link.href = grid.path;
      image.alt = `${choice.selectedOptions[0].textContent} after ${words}`;
      const next = moment + 1 < numbers.grids.length && pathOf(moment + 1);
      if (next) new Image().src = next.path;
    };
    image.addEventListener("error", () => {
      image.hidden = true;
      caption.textContent += ": the file is not there any more";
    });
    slider.addEventListener("input", show);
    choice.addEventListener("change", show);
    let timer = 0;
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      play.textContent = "Play";
    };
    play.addEventListener("click", () => {
      if (timer) return stop();
      if (slider.value === slider.max) slider.value = 0;
      show();
      play.textContent = "Stop";
      timer = setInterval(() => {
        if (slider.value === slider.max) return stop();
        slider.stepUp();
        show();
      }, 400);
    });
    figure.querySelector(".controls").hidden = false;
    show();
  }

  // Curves: the values under the pointer.
  const nearest = (x, wanted) => {
    let [low, high] = [0, x.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (x[middle] > wanted) high = middle;
      else low = middle;
    }
    return wanted - x[low] < x[high] - wanted ? low : high;
  };
  document.querySelectorAll("[data-chart]").forEach((card) => {
    const curves = numbers.charts[Number(card.dataset.chart)];
    const svg = card.querySelector("svg");
    const cursor = card.querySelector(".cursor");
    const outputs = card.querySelectorAll("output");
    const [left, right, last] = ["left", "right", "last"].map((name) => Number(svg.dataset[name]));
    const tell = (seen) => curves.forEach(([x, y], i) => { outputs[i].textContent = written(y[seen === null ? y.length - 1 : nearest(x, seen)]); });
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const at = Math.min(right, Math.max(left, ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width));
      cursor.setAttribute("transform", `translate(${at} 0)`);
      cursor.setAttribute("visibility", "visible");
      tell(((at - left) / (right - left)) * last);
    });
    svg.addEventListener("pointerleave", () => {
      cursor.setAttribute("visibility", "hidden");
      tell(null);
    });
    tell(null);
  });
})();
