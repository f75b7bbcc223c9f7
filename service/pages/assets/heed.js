// heed: sends a form or follows a link marked data-swap in the background and swaps the part of the page that comes
// back; keys for lists. Everything works without it.
"use strict";

const said = (text) => { document.getElementById("said").textContent = text; };

const turns = {};

async function swap(target, address, options) {
  const turn = (turns[target] = (turns[target] || 0) + 1);
  const part = document.querySelector(target);
  part.setAttribute("aria-busy", "true");
  part.classList.add("busy");
  const slow = setTimeout(() => said("Working on it …"), 300);
  try {
    const answer = await fetch(address, { ...options, headers: { "X-Fragment": target }, credentials: "same-origin" });
    if (new URL(answer.url).pathname === "/sign-in") {
      said("You are signed out, and this was not sent. Copy what you typed, then load the page again and sign in.");
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turns[target] !== turn) return;  // asked again meanwhile: the older answer is nobody's any more
    const fresh = page.querySelector(target);
    if (!fresh) {
      said(page.querySelector("main p")?.textContent || "That did not work: load the page again.");
      return;
    }
    const inside = part.contains(document.activeElement);
    const held = document.activeElement?.id || document.activeElement?.dataset.key;
    const line = lines().findIndex((one) => one.classList.contains("at") || one.contains(document.activeElement));
    part.replaceWith(fresh);
    const [news, told] = [document, page].map((one) => one.querySelector(".top .news"));
    if (news && told && !news.contains(document.activeElement)) news.replaceWith(told);
    document.title = page.title;
    said(page.getElementById("said")?.textContent || "");
    const wrong = fresh.querySelector('[aria-invalid="true"]');
    if (wrong || inside) {
      fresh.tabIndex = -1;  // so that the keyboard is somewhere, whatever is gone
      (wrong || document.getElementById(held) || fresh.querySelector(`[data-key="${CSS.escape(held || "-")}"]`) ||
        lines()[Math.min(line, lines().length - 1)]?.querySelector(".open") ||
        fresh.querySelector(".open") || fresh).focus();
    }
    if (answer.redirected || !options) history.replaceState(null, "", answer.url);
  } catch {
    said("Not saved: heed cannot be reached. Nothing is lost, try again.");
  } finally {
    clearTimeout(slow);
    document.querySelector(target)?.removeAttribute("aria-busy");
    document.querySelector(target)?.classList.remove("busy");
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const target = event.submitter?.dataset.swap || form.dataset.swap;
  if (!target || form.method === "dialog") return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  const action = event.submitter?.hasAttribute("formaction") ? event.submitter.formAction : form.action;
  if (form.method === "get") {
    const address = new URL(action);
    address.search = new URLSearchParams([...data].filter(([, value]) => value !== ""));
    swap(target, address);
  } else {
    const files = form.enctype === "multipart/form-data";
    swap(target, action, { method: "POST", body: files ? data : new URLSearchParams(data) });
  }
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  swap(link.dataset.swap, link.href);
});

// A field that says data-pause="/address #part" is sent there with its form when somebody stops typing.
let pause;
document.addEventListener("input", (event) => {
  const [address, target] = event.target.dataset?.pause?.split(" ") || [];
  if (!address) return;
  clearTimeout(pause);
  pause = setTimeout(() => {
    swap(target, address, { method: "POST", body: new URLSearchParams(new FormData(event.target.form)) });
  }, 600);
});

// A slider that says data-slide="#part" shows that part of its form's page as it moves.
let sliding;
document.addEventListener("input", (event) => {
  const target = event.target.dataset?.slide;
  if (!target) return;
  clearTimeout(sliding);
  sliding = setTimeout(() => {
    const address = new URL(event.target.form.action);
    address.search = new URLSearchParams(new FormData(event.target.form));
    swap(target, address);
  }, 150);
});

// A link with data-line leads into that line of the text it points to.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-line]");
  const field = link && document.querySelector(link.hash);
  if (!field) return;
  event.preventDefault();
  const before = field.value.split("\n").slice(0, link.dataset.line - 1);
  const at = before.join("\n").length + (before.length ? 1 : 0) + Number(link.dataset.column) - 1;
  field.focus();
  field.setSelectionRange(at, at);
  field.scrollTop = (before.length - 5) * parseFloat(getComputedStyle(field).lineHeight);
});

document.addEventListener("change", (event) => {
  const name = event.target.dataset?.checkAll;
  if (!name) return;
  for (const box of document.querySelectorAll(`input[name="${CSS.escape(name)}"]`)) box.checked = event.target.checked;
});

// A page that says data-refresh="#part 5" is looked at again every 5 seconds, while somebody looks at it.
const refresh = document.querySelector("[data-refresh]");
if (refresh) {
  const [target, seconds] = refresh.dataset.refresh.split(" ");
  const again = setInterval(() => {
    if (!document.querySelector("[data-refresh]")) clearInterval(again);
    else if (!document.hidden) {
      const here = new URL(location.href);
      here.searchParams.delete("done");  // what was said is said once
      swap(target, here);
    }
  }, seconds * 1000);
}

// Keys, which can be switched off (WCAG 2.1.4).
const keysOn = () => localStorage.getItem("keys") !== "off";
const lines = () => [...document.querySelectorAll(".rows > li")];

function move(step) {
  const all = lines();
  if (!all.length) return;
  const at = all.findIndex((line) => line.classList.contains("at") || line.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
  for (const line of all) line.classList.toggle("at", line === next);
  next.querySelector(".open")?.focus();
}

const current = () => document.querySelector(".rows > li.at") || document.activeElement?.closest(".rows > li") || document;
const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  e: () => current().querySelector("[data-key-e]")?.click(),
  a: () => (current().querySelector("[data-key-a]") || document.querySelector("[data-key-a]"))?.focus(),
  x: () => current() !== document && current().querySelector("input[type=checkbox]")?.click(),
  "/": () => document.getElementById("find")?.focus(),
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !keysOn() || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

for (const line of document.querySelectorAll(".keys-switch")) line.hidden = false;
const box = document.getElementById("keys-on");
if (box) {
  box.checked = keysOn();
  box.addEventListener("change", () => localStorage.setItem("keys", box.checked ? "on" : "off"));
  document.getElementById("keys-show").addEventListener("click", () => document.getElementById("keys").showModal());
}
