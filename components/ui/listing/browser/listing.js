// A table of real HTML. Texts of the database become text nodes and attributes only, never markup.
const sheet = new CSSStyleSheet();
// A list without styles is better than none.
const styles = await fetch(new URL("listing.css", import.meta.url)).catch(() => null);
sheet.replaceSync(styles?.ok ? await styles.text() : "");

const SVG = "http://www.w3.org/2000/svg";
const drawn = new WeakMap();

function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter(child => child !== null));
  return element;
}

// What can be focused knows its place, so that the focus finds it again when the rows are drawn anew.
function placed(element, row, column) {
  element.dataset.row = row;
  element.dataset.column = column;
  return element;
}

function trend(values) {
  const width = 96, height = 22, svg = document.createElementNS(SVG, "svg");
  const most = Math.max(...values, 0.01), step = width / Math.max(values.length - 1, 1);
  const line = document.createElementNS(SVG, "polyline");
  line.setAttribute("points", values.map((value, at) => `${at * step},${height - 2 - (value / most) * (height - 4)}`).join(" "));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(line);
  return svg;
}

const KINDS = {
  text: (cell, { title }) => make("span", { className: "words", title }, cell),
  figure: (cell, { title }) => make("span", { title }, cell),
  time: (cell, { title }) => make("span", { title }, cell),
  badges: (cell, { column }) =>
    make("span", { className: "badges" }, ...cell.map(word => make("span", { className: `badge ${column.colors[word] ?? "gray"}` }, word))),
  trend: (cell, { title }) => make("span", { title }, cell.length > 1 ? trend(cell) : "—", make("span", { className: "unseen" }, title)),
  link(cell, { column, row, href, title, act }) {
    const link = href === undefined ? make("button", { type: "button" }) : make("a", { href });
    if (!column.acts) Object.assign(link, { target: "_blank", rel: "noopener" });
    link.append(make("span", { className: "words", title }, cell));
    link.classList.add("link");
    link.addEventListener("click", event => {
      if (!column.acts || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      act(column.key, row);
    });
    return placed(link, row, column.key);
  },
  button(cell, { column, row, act }) {
    const icon = make("span", { className: "icon", ariaHidden: "true" }, column.icon);
    const button = make("button", { type: "button", className: "action", ariaLabel: cell, title: cell }, icon);
    button.addEventListener("click", () => act(column.key, row));
    return placed(button, row, column.key);
  },
};

export default function (component) {
  const root = component.parentElement;
  if (!drawn.has(root)) drawn.set(root, begin(root));
  const table = drawn.get(root);
  table.component = component;
  draw(table, component.data);
}

function begin(root) {
  root.adoptedStyleSheets = [sheet];
  const caption = make("caption", { className: "unseen" }), head = make("tr"), body = make("tbody");
  const whole = make("table", {}, caption, make("thead", {}, head), body);
  const scroll = make("div", { className: "scroll" }, whole);
  root.append(scroll);
  const table = { root, scroll, caption, head, body, rows: new Map(), signature: "", turn: 0, ticked: new Set(), last: null };
  body.addEventListener("keydown", event => move(table, event));
  // A dialog that closes gives the focus back to the host of the table, for where the reader was in it. So does a click
  // beside all that can be focused, which is no way back.
  root.host.tabIndex = -1;
  root.host.addEventListener("focus", event => {
    if (table.last && event.target === root.host) find(table, ...table.last)?.focus();
  });
  scroll.addEventListener("pointerdown", () => { table.last = null; });
  scroll.addEventListener("focusin", ({ target: { dataset } }) => { table.last = dataset.column ? [dataset.row, dataset.column] : null; });
  new ResizeObserver(() => reach(table)).observe(scroll);
  body.addEventListener("pointerover", event => {
    const text = event.target.closest?.(".words");
    if (text && !text.title && (text.scrollWidth > text.clientWidth || text.scrollHeight > text.clientHeight)) {
      text.title = text.textContent;
    }
  });
  return table;
}

// What scrolls can be reached by keyboard, and says what it is.
function reach({ scroll, caption }) {
  if (scroll.scrollWidth > scroll.clientWidth || scroll.scrollHeight > scroll.clientHeight) {
    Object.assign(scroll, { tabIndex: 0, role: "region", ariaLabel: caption.textContent });
  } else {
    for (const name of ["tabindex", "role", "aria-label"]) scroll.removeAttribute(name);
  }
}

function find({ root }, row, column) {
  const all = [...root.querySelectorAll("[data-column]")];
  return all.find(one => one.dataset.row === row && one.dataset.column === column);
}

function draw(table, data) {
  const focused = table.root.activeElement?.dataset;
  const place = focused?.column ? [focused.row, focused.column] : null;
  const { columns, ids } = data;
  table.caption.textContent = data.name;
  table.data = data;
  table.scroll.style.maxHeight = data.seen ? `${data.seen * 2.15 + 2}rem` : "";
  // What was ticked since is on its way, and newer than what has come.
  if (data.ticked && (data.turn >= table.turn || data.cleared !== table.cleared)) table.ticked = new Set(data.ticked);
  table.cleared = data.cleared;
  const signature = JSON.stringify([columns.map(column => ({ ...column, cells: 0, titles: 0, hrefs: 0 })), Boolean(data.ticked)]);
  if (signature !== table.signature) {
    table.rows.clear();
    table.head.replaceChildren(...heads(table, data));
  }
  table.signature = signature;
  const rows = new Map(), order = ids.map((id, at) => {
    const json = JSON.stringify(columns.map(({ cells, titles, hrefs, base }) => [cells[at], titles?.[at], base, hrefs?.[at]]));
    const known = table.rows.get(id);
    const row = known?.json === json ? known : { json, element: line(table, data, at) };
    rows.set(id, row);
    return row.element;
  });
  table.rows = rows;
  const now = table.body.children;
  if (now.length !== order.length || order.some((element, at) => element !== now[at])) table.body.replaceChildren(...order);
  if (data.ticked) show(table);
  reach(table);
  if (place && !table.root.activeElement) find(table, ...place)?.focus();
}

function heads(table, data) {
  const heads = data.columns.map(column => {
    const head = make("th", { scope: "col", className: column.kind + (column.right ? " right" : ""), title: column.help ?? "" });
    if (column.sort === undefined) {
      head.append(make("span", { className: column.kind === "button" ? "unseen" : "" }, column.title));
      return head;
    }
    head.ariaSort = column.sort || "none";
    const mark = { ascending: "↑", descending: "↓" }[column.sort] ?? "";
    const button = make("button", { type: "button", className: "sort" }, column.title, make("span", { ariaHidden: "true" }, mark));
    button.addEventListener("click", () => table.component.setTriggerValue("sort", column.key));
    head.append(placed(button, "", column.key));
    return head;
  });
  if (!data.ticked) return heads;
  if (data.single) return [make("th", { scope: "col", className: "tick" }, make("span", { className: "unseen" }, "Select")), ...heads];
  const all = placed(make("input", { type: "checkbox" }), "", "tick");
  all.addEventListener("change", () => tick(table, table.data.ids, all.checked));
  table.all = all;
  return [make("th", { scope: "col", className: "tick" }, all), ...heads];
}

function line(table, data, at) {
  const id = String(data.ids[at]);
  const act = (column, row) => {
    table.last = [row, column];
    table.component.setTriggerValue("act", [column, data.ids[at]]);
  };
  const cells = data.columns.map((column, place) => {
    const title = column.titles?.[at] ?? "", rest = column.hrefs?.[at];
    const href = rest === undefined || rest === null ? undefined : column.base + rest;
    const cell = place ? make("td") : make("th", { scope: "row" });
    cell.className = column.kind + (column.mono ? " mono" : "") + (column.right ? " right" : "") + (column.wide ? " wide" : "");
    const plain = column.kind === "link" && href === undefined && (column.hrefs || !column.acts);
    cell.append(KINDS[plain ? "text" : column.kind](column.cells[at], { column, row: id, href, title, act }));
    return cell;
  });
  if (!data.ticked) return make("tr", {}, ...cells);
  const name = data.columns[0].cells[at];
  const type = data.single ? "radio" : "checkbox";
  const box = placed(make("input", { type, name: "tick", ariaLabel: `Select ${name}` }), id, "tick");
  box.addEventListener("change", () => tick(table, [data.ids[at]], box.checked));
  return make("tr", {}, make("td", { className: "tick" }, box), ...cells);
}

function tick(table, ids, on) {
  if (table.data.single) table.ticked.clear();
  for (const id of ids) table.ticked[on ? "add" : "delete"](id);
  table.turn = Date.now();
  show(table);
  const shown = table.data.ids;
  table.component.setStateValue("ticked", { shown, on: shown.filter(id => table.ticked.has(id)), turn: table.turn });
}

function show(table) {
  const { ids } = table.data, count = ids.filter(id => table.ticked.has(id)).length;
  for (const [id, { element }] of table.rows) {
    element.querySelector("input").checked = table.ticked.has(id);
    element.classList.toggle("ticked", table.ticked.has(id));
  }
  if (table.data.single) return;
  table.all.checked = count === ids.length;
  table.all.indeterminate = 0 < count && count < ids.length;
  table.all.ariaLabel = `Select all ${ids.length} on this page`;
}

function move(table, event) {
  const { row, column } = event.target.dataset;
  if (event.key === " " && table.data.ticked && column !== "tick" && event.target.classList.contains("link")) {
    event.preventDefault();
    find(table, row, "tick").click();
    return;
  }
  if (event.target.type === "radio") return;  // its own arrows choose
  const places = [...table.body.querySelectorAll("[data-column]")].filter(one => one.dataset.column === column);
  const at = places.indexOf(event.target);
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: places.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  places[Math.min(Math.max(to, 0), places.length - 1)].focus();
}
