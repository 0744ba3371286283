/** Making elements: text goes in as text, styles through the object model, so that the strict CSP holds. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element: h("button", {class: "quiet", onclick: run, "aria-pressed": "false"}, "Text", child).
 * Properties the element knows are set on it, others become attributes; null, undefined and false are left out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "style") place(element, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.includes("-") && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Set style properties, custom ones too. */
export function place(element, style) {
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
}

/** Make an SVG element; children as in h. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.flat());
  return element;
}

/** Put children in the place of all there are. */
export function refill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

let lastId = 0;

/** An id no other element of the page has. */
export function freshId(prefix = "e") {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

/** Whether somebody is typing text there, so that keys are theirs. */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === "TEXTAREA" || target.tagName === "SELECT") return true;
  const quiet = ["range", "checkbox", "radio", "button", "file", "color", "submit", "reset"];
  return target.tagName === "INPUT" && !quiet.includes(target.type);
}

/** Move the focus among items of a group by arrow keys, Home and End; only one of them is a tab stop. */
export function roving(group, items, { onMove = null, columns = () => 1 } = {}) {
  group.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(document.activeElement);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const wide = columns();
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide };
    let to = null;
    if (event.key in steps) to = Math.min(all.length - 1, Math.max(0, at + steps[event.key]));
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = all.length - 1;
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    focusOne(all, all[to]);
    if (onMove && to !== at) onMove(all[to]);
  });
}

/** Make one item of a group the tab stop, and give it the focus. */
export function focusOne(all, item, { focus = true } = {}) {
  for (const other of all) other.tabIndex = other === item ? 0 : -1;
  if (focus && item) item.focus();
}
