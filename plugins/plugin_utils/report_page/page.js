// Filter and sort of rows that are already in the page; without it the table is whole, in its first order.
"use strict";
(() => {
  const form = document.getElementById("filter");
  const fields = form.elements;
  const body = document.querySelector("tbody");
  const heads = [...document.querySelectorAll("thead th")];
  const count = form.querySelector("output");
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const number = new Intl.NumberFormat("en");
  const first = heads.findIndex((head) => head.hasAttribute("aria-sort"));
  // Reading texts out of cells is slow: once per row, when it is first needed.
  let rows = [...body.rows].map((row) => ({ row, keys: [] }));
  const original = rows;

  const key = (entry, column) => {
    if (!(column in entry.keys)) {
      const cell = entry.row.cells[column];
      const told = cell.dataset.key;
      entry.keys[column] = told === undefined ? cell.textContent : told === "" ? null : Number(told);
    }
    return entry.keys[column];
  };

  const compare = (one, other) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return typeof one === "number" ? one - other : collator.compare(one, other);
  };

  const show = (sorted) => {
    rows = sorted;
    body.append(...rows.map((entry) => entry.row));
  };

  const mark = (column, direction) => {
    heads.forEach((head, place) => {
      if (place === column) head.setAttribute("aria-sort", direction);
      else head.removeAttribute("aria-sort");
    });
    fields.sort.value = `${column} ${direction}`;
  };

  const sort = (column, direction) => {
    const sign = direction === "ascending" ? 1 : -1;
    const sorted = [...rows].sort((one, other) => {
      const [a, b] = [key(one, column), key(other, column)];
      // What is not known comes last in both directions.
      return a === null || b === null ? compare(a, b) : sign * compare(a, b);
    });
    show(sorted);
    mark(column, direction);
  };

  const filter = () => {
    const words = fields.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const { state, engine, days } = fields;
    let shown = 0;
    for (const entry of rows) {
      const data = entry.row.dataset;
      const fits =
        (!state.value || data.state === state.value) &&
        (!engine.value || data.engine === engine.value) &&
        (!days.value || expires(entry, Number(days.value))) &&
        words.every((word) => text(entry).includes(word));
      if (entry.row.hidden === fits) entry.row.hidden = !fits;
      shown += fits;
    }
    count.textContent = `${number.format(shown)} of ${number.format(rows.length)} rows`;
  };

  const text = (entry) => (entry.text ??= [...entry.row.cells].map((cell) => cell.textContent).join(" ").toLowerCase());

  const expires = (entry, within) => {
    const left = key(entry, heads.length - 1);
    return left !== null && (within === 0 ? left < 0 : left >= 0 && left <= within);
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () =>
      sort(column, head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending")
    );
    for (const direction of ["ascending", "descending"]) {
      fields.sort.add(new Option(`${button.textContent}, ${direction}`, `${column} ${direction}`));
    }
  });
  mark(first, "ascending");

  let waiting = 0;
  fields.text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  for (const field of [fields.state, fields.engine, fields.days]) field.addEventListener("change", filter);
  fields.sort.addEventListener("change", () => {
    const [column, direction] = fields.sort.value.split(" ");
    sort(Number(column), direction);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => {
    show(original);
    mark(first, "ascending");
    filter();
  }));
  form.hidden = false;
  // A reload may bring back what was typed before.
  filter();
})();
