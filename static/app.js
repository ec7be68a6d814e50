/* Makes plain pages handier; every page works without it. */
"use strict";

const on = (type, selector, act) =>
  document.addEventListener(type, (event) => {
    const element = event.target.closest?.(selector);
    if (element) act(element, event);
  });
const polls = (element) => element.getAttribute?.("hx-trigger")?.startsWith("every");

/* Copy buttons: <button data-copy="text">, with <span data-copied="Copied"> inside. */
on("click", "[data-copy]", async (button) => {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Clipboards need https or localhost; elsewhere the old way still works.
    const area = Object.assign(document.createElement("textarea"), { value: button.dataset.copy });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const label = button.querySelector("[data-copied]");
  if (!label || label.dataset.before) return;
  label.dataset.before = label.textContent;
  label.textContent = label.dataset.copied;
  setTimeout(() => {
    label.textContent = label.dataset.before;
    delete label.dataset.before;
  }, 1600);
});

/* The theme, without a page load; the cookie lets the server render it next time. */
on("click", "[data-theme-form] button", (button, event) => {
  event.preventDefault();
  const theme = button.value;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax${secure}`;
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const each of button.form.querySelectorAll("button"))
    each.setAttribute("aria-pressed", String(each === button));
  button.closest("details")?.removeAttribute("open");
});

/* Menus close on Escape and on a click elsewhere. */
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (!menu.contains(event.target)) menu.removeAttribute("open");
});
on("keydown", "details.menu[open]", (menu, event) => {
  if (event.key !== "Escape") return;
  menu.removeAttribute("open");
  menu.querySelector("summary").focus();
});

/* What asks anew by itself does not while a menu in it is open: its successor's is closed. */
for (const type of ["htmx:before:request", "htmx:before:response"])
  document.addEventListener(type, (event) => {
    if (event.target.querySelector?.("details.menu[open]") && polls(event.target)) event.preventDefault();
  });

/* A button that is disabled while its request runs loses the focus: it gets it back. */
let lastFocused = null;
document.addEventListener("focusin", (event) => {
  if (!event.target.closest("dialog")) lastFocused = event.target;
});
function refocus(element) {
  if (document.activeElement === document.body && element?.isConnected) element.focus();
}
document.addEventListener("htmx:finally:request", () => setTimeout(() => refocus(lastFocused)));

/* Dialogs: what is swapped into #dialog opens it; <dialog data-modal open> becomes modal.
   The browser keeps the focus inside; afterwards it goes back to what opened it. */
function openDialogs() {
  const shared = document.getElementById("dialog");
  const waiting = [...document.querySelectorAll("dialog[data-modal][open]:not(:modal)")];
  if (shared?.childElementCount && !shared.open) waiting.push(shared);
  for (const dialog of waiting) {
    const menu = lastFocused?.closest("details.menu");
    const opener = menu?.querySelector("summary") ?? lastFocused;
    menu?.removeAttribute("open");
    dialog.removeAttribute("open");
    dialog.showModal();
    dialog.addEventListener("close", () => {
      if (dialog === shared) dialog.replaceChildren();
      else dialog.remove();
      refocus(opener);
    }, { once: true });
  }
}
on("click", "dialog [data-close]", (element, event) => {
  event.preventDefault();
  element.closest("dialog").close();
});
on("click", "dialog:modal", (dialog, event) => { if (event.target === dialog) dialog.close(); });

/* Links of an error summary lead to the field, wherever it is folded away. */
on("click", "#error-summary a[href^='#']", (link, event) => {
  const id = link.getAttribute("href").slice(1);
  const field = document.getElementById(`${id}_entry`) || document.getElementById(id);
  if (!field) return;
  event.preventDefault();
  for (let each = field.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
  field.focus();
});

/* Chips over <textarea data-chips>, which stays the field that is sent. */
function chips(area) {
  if (area.dataset.chips === "on") return;
  area.dataset.chips = "on";
  const box = document.createElement("div");
  const input = Object.assign(document.createElement("input"), {
    type: "text", placeholder: area.placeholder, autocomplete: "off", spellcheck: false,
  });
  for (const name of ["aria-describedby", "aria-invalid"])
    if (area.hasAttribute(name)) input.setAttribute(name, area.getAttribute(name));
  box.className = "chip-box";
  const ids = (text) => text.split(/[,;\r\n\t]+/).map((id) => id.trim()).filter(Boolean);
  const values = () => ids(area.value);
  const set = (list) => {
    area.value = [...new Set(list)].join("\n");
    draw();
    area.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const take = () => {
    if (!input.value.trim()) return;
    const list = [...values(), ...ids(input.value)];
    input.value = "";
    set(list);
  };
  function draw() {
    box.replaceChildren(
      ...values().map((value) => {
        const chip = Object.assign(document.createElement("span"), { className: "chip", textContent: value });
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
        button.setAttribute("aria-label", `${area.dataset.removeLabel || "Remove"} ${value}`);
        button.addEventListener("click", () => {
          set(values().filter((other) => other !== value));
          input.focus();
        });
        chip.append(button);
        return chip;
      }),
      input,
    );
    input.placeholder = values().length ? "" : area.placeholder;
  }
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === ",") {
      event.preventDefault();
      take();
      input.focus();
    } else if (event.key === "Backspace" && !input.value && values().length) {
      set(values().slice(0, -1));
      input.focus();
    }
  });
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!/[,;\r\n\t]/.test(text.trim())) return;
    event.preventDefault();
    input.value += text.replace(/[\r\n\t]+/g, ",");
    take();
    input.focus();
  });
  // What is typed is checked when it is a chip: before, the field does not hold it.
  input.addEventListener("change", (event) => event.stopPropagation());
  input.addEventListener("blur", take);
  box.addEventListener("click", (event) => { if (event.target === box) input.focus(); });
  area.addEventListener("chips:add", (event) => set([...values(), ...event.detail]));
  // The label names the input people type into; tests and scripts keep the textarea.
  input.id = `${area.id}_entry`;
  document.querySelector(`label[for="${area.id}"]`)?.setAttribute("for", input.id);
  area.hidden = true;
  area.after(box);
  draw();
  // Going back, the browser fills the field in after the page is read.
  addEventListener("pageshow", draw);
}

/* <button data-add-checked="#id_models"> adds the ticked names around it as chips. */
on("click", "[data-add-checked]", (button, event) => {
  const area = document.querySelector(button.dataset.addChecked);
  if (!area) return;
  event.preventDefault();
  const picker = button.closest(".picker");
  const ticked = [...picker.querySelectorAll("li input:checked")].map((box) => box.value);
  area.dispatchEvent(new CustomEvent("chips:add", { detail: ticked }));
  if (picker.matches(":modal")) picker.close();
  else picker.remove();
  document.getElementById(`${area.id}_entry`)?.focus();
});
/* <input data-filter> hides the list items around it that lack its text. */
on("input", "[data-filter]", (input) => {
  const text = input.value.trim().toLowerCase();
  const picker = input.closest(".picker");
  for (const item of picker.querySelectorAll("li"))
    item.hidden = !item.textContent.toLowerCase().includes(text);
  picker.querySelector("[data-none]").hidden = Boolean(picker.querySelector("li:not([hidden])"));
});
/* <input type=checkbox data-all=".table"> ticks all that is shown in there. */
on("change", "[data-all]", (all) => {
  for (const box of document.querySelectorAll(`${all.dataset.all} input[type=checkbox]`))
    if (!box.closest("[hidden]")) box.checked = all.checked;
});
/* Enter there would send the form around it. */
on("keydown", "[data-filter]", (input, event) => { if (event.key === "Enter") event.preventDefault(); });

/* <input type=file data-folder="id"> sends what is read of a folder, its paths in #id. */
const FOREIGN = /(?:^|\/)(?:node_modules|site-packages|\.?venv|env|__pycache__|\.(?!env)[^/]+|dist|build)\//;
const READ = /\.(?:py|[cm]?[jt]s|[jt]sx|ya?ml)$|(?:^|\/)(?:[\w.-]*\.env(?:\.[\w.-]+)?|requirements[\w.-]*|pyproject\.toml|package\.json)$/i;
on("change", "[data-folder]", (input) => {
  const files = [...input.files];
  const read = files.filter(({ webkitRelativePath: path }) => READ.test(path) && !FOREIGN.test(path));
  const kept = new DataTransfer();
  for (const file of read.length ? read : files.slice(0, 1)) kept.items.add(file);
  document.getElementById(input.dataset.folder).value = read.map((file) => file.webkitRelativePath).join("\n");
  input.files = kept.files;
});

/* <form data-guard>: leaving with unsaved changes asks first. */
let unsaved = false;
for (const type of ["input", "change"])
  on(type, "form[data-guard]", (form, event) => { if (event.isTrusted) unsaved = true; });
document.addEventListener("submit", () => { unsaved = false; });
window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

/* Coming back from a tab opened for OAuth or "Register new": `returned` on <body>. */
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.body.dispatchEvent(new Event("returned"));
});

/* The Playground: Enter sends, Stop ends the stream, what was stopped stays. */
on("keydown", "textarea[data-enter-sends]", (area, event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  area.form.requestSubmit(area.form.querySelector("button.send"));
});
on("click", "[data-abort]", (button) => htmx.trigger(document.querySelector(button.dataset.abort), "htmx:abort"));
document.addEventListener("htmx:sse:after:connection", (event) => {
  const area = event.target.querySelector?.("[data-enter-sends]");
  if (area) area.value = "";
});
document.addEventListener("htmx:sse:after:message", (event) => {
  const last = event.target.querySelector?.(".turn:last-child");
  if (last && innerHeight - last.getBoundingClientRect().bottom > -260) last.scrollIntoView({ block: "end" });
});
document.addEventListener("htmx:finally:request", (event) => {
  if (!event.target.matches?.("[data-chat]")) return;
  for (const end of event.target.querySelectorAll("[data-unfinished]")) {
    const text = document.getElementById(`${end.id}-text`);
    const kept = Object.assign(document.createElement("input"), {
      type: "hidden", name: end.dataset.unfinished, value: text.textContent,
    });
    const note = Object.assign(document.createElement("p"), { className: "shy small", textContent: end.dataset.stopped });
    end.replaceChildren(kept, note);
    end.removeAttribute("data-unfinished");
  }
});

/* <a data-go> in a fragment: the page that it leads to is next, by itself. */
document.addEventListener("htmx:after:swap", () => {
  const next = document.querySelector("a[data-go]");
  if (next) location.assign(next.href);
});

/* After every load and swap: local times, chips, aria-invalid from error texts, focus. */
function enhance() {
  for (const time of document.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    const local = new Date(at - at.getTimezoneOffset() * 60000);
    time.textContent = local.toISOString().slice(0, 19).replace("T", " ");
    time.removeAttribute("data-local");
  }
  document.querySelectorAll("textarea[data-chips]").forEach(chips);
  for (const each of document.querySelectorAll("[data-needs-scripts]")) each.hidden = false;
  for (const error of document.querySelectorAll(".error[id$=_error]")) {
    const id = error.id.slice(0, -6);
    const field = document.getElementById(`${id}_entry`) || document.getElementById(id);
    if (error.textContent.trim()) field?.setAttribute("aria-invalid", "true");
    else field?.removeAttribute("aria-invalid");
  }
}
/* What a person asked for and did not get is said; what polls tries again by itself. */
for (const type of ["htmx:response:error", "htmx:error"])
  document.addEventListener(type, (event) => {
    const status = event.detail.ctx?.response?.status ?? 0;
    const toasts = document.getElementById("toasts");
    if (polls(event.target) || status === 422 || !toasts) return;
    const notice = Object.assign(document.createElement("div"), { className: "notice bad" });
    notice.textContent = toasts.dataset.failed;
    toasts.replaceChildren(notice);
    toasts.scrollIntoView({ block: "center" });
  });
function settle() {
  enhance();
  openDialogs();
  const focus = document.querySelector("[data-focus]");
  if (!focus) return;
  focus.removeAttribute("data-focus");
  focus.focus();
}
document.addEventListener("htmx:after:swap", settle);
settle();
