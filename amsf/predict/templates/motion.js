"use strict";
// Draws each recording that is in sight, from the places in `data-frames`; nothing else is loaded.
(() => {
  const lines = JSON.parse(document.querySelector("main").dataset.lines);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  class Player {
    constructor(figure) {
      this.figure = figure;
      this.paths = [...figure.querySelectorAll("path")];
      this.button = figure.querySelector("button");
      this.slider = figure.querySelector("input");
      this.at = Number(this.slider.value);
      this.last = Number(this.slider.max);
      this.playing = false;
      this.since = 0;
      figure.querySelector(".controls").hidden = false;
      this.button.addEventListener("click", () => this.play(!this.playing));
      this.slider.addEventListener("input", () => {
        this.play(false);
        this.show(Number(this.slider.value));
      });
    }

    play(on) {
      this.playing = on && this.last > 0;
      this.button.textContent = this.playing ? "Pause" : "Play";
    }

    show(at) {
      this.frames ??= this.figure.dataset.frames.split(" ").map((one) => one.split(",").map(Number));
      this.at = at;
      this.slider.value = at;
      const points = this.frames[at];
      const persons = new Set(this.paths.map((path) => path.dataset.person)).size;
      const size = points.length / persons;
      for (const path of this.paths) {
        const start = Number(path.dataset.person) * size;
        const place = (joint) => `${points[start + 2 * joint]} ${points[start + 2 * joint + 1]}`;
        const kind = path.dataset.kind;
        path.setAttribute("d", lines[kind].map(([a, b]) => `M${place(a)}L${place(b)}`).join(""));
      }
    }

    tick(now) {
      if (!this.playing || now - this.since < Number(this.figure.dataset.milliseconds)) return;
      this.since = now;
      this.show(this.at < this.last ? this.at + 1 : 0);
    }
  }

  const players = new Map();
  for (const figure of document.querySelectorAll("figure.motion")) {
    players.set(figure, new Player(figure));
  }
  const inSight = new Set();
  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inSight.add(players.get(target));
      else inSight.delete(players.get(target));
    }
  });
  for (const figure of players.keys()) watch.observe(figure);

  const everything = document.querySelector("#all");
  let moving = !still;
  const setAll = () => {
    everything.textContent = moving ? "Pause all" : "Play all";
    for (const player of players.values()) player.play(moving);
  };
  everything.hidden = false;
  everything.addEventListener("click", () => {
    moving = !moving;
    setAll();
  });
  setAll();

  const tick = (now) => {
    for (const player of inSight) player.tick(now);
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
})();
