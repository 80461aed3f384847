"use strict";
// Tables are sorted by a click on a heading, charts tell their figures under the pointer. The page says everything without it too.
(() => {
  const scale = { k: 1e3, M: 1e6, G: 1e9, ms: 1e-3, s: 1, min: 60 };
  const number = (text) => {
    const found = /(−)?<?\$?([\d,]*\.?\d+)\s?(ms|min|s|k|M|G)?/.exec(text);
    if (!found) return -Infinity;
    return (found[1] ? -1 : 1) * Number(found[2].replace(/,/g, "")) * (scale[found[3]] || 1);
  };
  const sort = (table, heading, index) => {
    const down = heading.getAttribute("aria-sort") === "descending";
    const numeric = heading.classList.contains("number");
    const up = numeric ? down : heading.getAttribute("aria-sort") !== "ascending";
    const key = (row) => row.cells[index].textContent;
    const compare = (a, b) => (numeric ? number(key(a)) - number(key(b)) : key(a).localeCompare(key(b)));
    const rows = [...table.tBodies[0].rows].sort((a, b) => (up ? compare(a, b) : compare(b, a)));
    table.tBodies[0].append(...rows);
    table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
  };
  for (const table of document.querySelectorAll(".scroll table")) {
    table.querySelectorAll("thead th").forEach((heading, index) => {
      heading.tabIndex = 0;
      heading.classList.add("sorts");
      heading.title = "Sort";
      heading.addEventListener("click", () => sort(table, heading, index));
      heading.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        sort(table, heading, index);
      });
    });
  }
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  let shown = null;
  const hide = () => {
    if (shown) shown.classList.remove("lit");
    shown = null;
    tip.hidden = true;
  };
  const place = (event) => {
    const target = event.target.closest ? event.target.closest("svg rect[pointer-events]") : null;
    if (!target) return hide();
    if (target !== shown) {
      hide();
      shown = target;
      // The browser's own hint would come on top of this one.
      const title = target.querySelector("title");
      if (title) {
        target.dataset.note = title.textContent;
        title.remove();
      }
      tip.textContent = target.dataset.note || "";
      target.classList.add("lit");
    }
    tip.hidden = !tip.textContent;
    const most = document.documentElement.clientWidth - tip.offsetWidth - 8;
    const left = Math.max(8, Math.min(event.clientX + 14, most));
    const above = event.clientY - tip.offsetHeight - 14;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 8 ? above : event.clientY + 18}px`;
  };
  for (const chart of document.querySelectorAll("figure svg")) {
    chart.addEventListener("pointermove", place);
    chart.addEventListener("pointerdown", place);
    chart.addEventListener("pointerleave", hide);
  }
  addEventListener("scroll", hide, { passive: true });
})();
