// heed, labelling: answers that are kept on this device until the server has confirmed them, and keys for the card
// the keyboard is at. Everything works without it.
"use strict";
{
  const UNDO = "/review/undo";
  const part = () => document.getElementById("label");
  const place = `heed answers of ${part().dataset.person}`;
  let queue = [];  // what was not confirmed yet, oldest first; in the browser's store, where there is one
  let tries = 0, later, lease, sending = false;

  function kept() {
    try { queue = JSON.parse(localStorage.getItem(place)) || []; } catch { /* the browser keeps nothing: this page does */ }
    return queue;
  }
  function keep(entries) {
    queue = entries;
    try {
      if (entries.length) localStorage.setItem(place, JSON.stringify(entries));
      else localStorage.removeItem(place);
    } catch { /* wait() says so */ }
  }
  function stored() {
    try { return localStorage.getItem(place) !== null; } catch { return false; }
  }
  const entry = (card, address, fields) => ({ card, address, fields, stamp: `${Date.now()} ${Math.random()}` });
  const without = (gone) => kept().filter((one) => one.stamp !== gone?.stamp);
  const undoing = (card) => entry(card, UNDO, [["card", card]]);

  // An answer that is changed while it waits may have come through all the same: it is taken back first.
  function answer(card, address, fields) {
    const before = kept().find((one) => one.card === card && one.address !== UNDO);
    if (before && JSON.stringify(before.fields) === JSON.stringify(fields)) return;
    keep([...without(before), ...(before ? [undoing(card)] : []), entry(card, address, fields)]);
  }
  function takeBack(card) {
    const waiting = kept().findLast((one) => one.address !== UNDO);
    keep([...without(waiting), undoing(waiting ? waiting.card : card)]);
  }

  const SIGNS = { good: "✓", warn: "!", bad: "✗", calm: "·" };
  function tell(tone, words) {
    const [state, sign] = [document.createElement("span"), document.createElement("span")];
    state.className = `state ${tone}`;
    sign.className = "sign";
    sign.setAttribute("aria-hidden", "true");
    sign.textContent = SIGNS[tone];
    state.append(sign, ` ${words}`);
    document.getElementById("kept").replaceChildren(state);
  }

  // One at a time; the screen goes on when the server has confirmed, and not before.
  async function send() {
    if (sending) return;
    sending = true;
    clearTimeout(later);
    const slow = setTimeout(() => tell("calm", "saving …"), 300);
    try {
      for (let [next] = kept(); next; [next] = kept()) {
        const page = await post(next);
        if (!page) return;
        tries = 0;
        keep(without(next));
        show(page, next.address === UNDO ? null : next.card);
      }
    } finally {
      clearTimeout(slow);
      sending = false;
    }
  }

  // The page that comes next; null where the server has not answered for good.
  async function post({ address, fields }) {
    const token = document.querySelector("[name=csrf]").value;
    try {
      const body = new URLSearchParams([["csrf", token], ...fields]);
      const answered = await fetch(address, { method: "POST", body, credentials: "same-origin" });
      const page = parsed(await answered.text());
      if (new URL(answered.url).pathname === "/sign-in") return wait("sign in again: kept on this device");
      if (answered.status === 403) return wait("load this page again: kept on this device");
      if ([408, 429].includes(answered.status) || answered.status >= 500) return wait("heed is busy: kept on this device");
      return page.getElementById("label") ? page : await refused(page);
    } catch {
      return wait("waiting for the network: kept on this device");
    }
  }
  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
  function wait(words) {
    tell("warn", stored() ? words : words.replace("kept on this device", "do not close this page"));
    later = setTimeout(send, Math.min(30_000, 1_000 * 2 ** tries++));
    return null;
  }
  async function refused(problem) {
    const page = parsed(await (await fetch("/review", { credentials: "same-origin" })).text());
    page.getElementById("label").dataset.refused = problem.querySelector("main p")?.textContent.trim() || "That was refused.";
    return page;
  }

  // The next screen. What was chosen there and is not saved yet stays, and so does a guideline that is open.
  function show(page, done) {
    const [before, fresh] = [part(), page.getElementById("label")];
    const inside = before.contains(document.activeElement) || document.activeElement === document.body;
    let same = false;
    for (const old of before.querySelectorAll(".answer")) {
      const now = fresh.querySelector(`#${old.id}`);
      if (!now) continue;
      same = true;
      if (old.id === `card-${done}`) continue;
      for (const one of now.querySelectorAll("[name=label]"))
        one.checked = old.querySelector(`[name=label][value="${CSS.escape(one.value)}"]`)?.checked;
      for (const name of ["flag", "why"]) now.querySelector(`[name=${name}]`).value = old.querySelector(`[name=${name}]`).value;
    }
    for (const open of before.querySelectorAll("details[data-stays][open]")) {
      const now = fresh.querySelector(`[data-stays="${open.dataset.stays}"]`);
      if (now) now.open = true;
    }
    before.replaceWith(fresh);
    const [rail, news] = [document, page].map((one) => one.querySelector(".rail a[href='/review']"));
    if (rail && news) rail.replaceChildren(...news.childNodes);
    document.title = page.title;
    history.replaceState(null, "", "/review");
    if (fresh.dataset.refused) tell("bad", fresh.dataset.refused);
    ready();
    if (!inside) return;
    const next = (same && at()) || fresh.querySelector(".spoken, .empty");
    next.tabIndex = -1;  // so that the keyboard is somewhere, whatever is gone
    next.focus({ preventScroll: true });
    (same ? next : document.getElementById("main")).scrollIntoView({ block: same ? "nearest" : "start" });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-keep]");
    if (!form) return;
    event.preventDefault();
    const address = new URL(form.action).pathname;
    if (address === UNDO) takeBack(form.dataset.keep);
    else answer(form.dataset.keep, address, [...new FormData(form, event.submitter)].filter(([name]) => name !== "csrf"));
    send();
  });

  // Keys. They go to the card that is `at`: the one the keyboard or the mouse was in last.
  const answers = () => [...part().querySelectorAll(".answer")];
  const at = () => part().querySelector(".answer.at");
  function stand(card) {
    for (const one of answers()) one.classList.toggle("at", one === card);
  }
  function ready() {
    if (!at()) stand(answers()[0]);
    part().classList.toggle("keyed", keysOn());
    const until = part().querySelector("[data-until]");
    clearTimeout(lease);
    if (until) lease = setTimeout(over, new Date(until.dataset.until) - Date.now(), until);
  }
  function over(line) {
    line.className = "notice warn";
    line.textContent = line.dataset.over;
  }
  document.addEventListener("focusin", (event) => {
    const card = event.target.closest(".answer");
    if (card) stand(card);
  });

  const pressed = (place, key) => place?.querySelector(`[data-press="${CSS.escape(key)}"]`);
  function act(key) {
    const reasons = /^\d$/.test(key) && at()?.querySelector("details[open] > .reasons");
    const rules = key === "g" && part().querySelector(`[data-stays="guideline-${at()?.dataset.axis}"] > summary`);
    const found = rules || (reasons ? pressed(reasons, key) : pressed(at(), key) || pressed(part(), key));
    if (key === "j" || key === "k") walk(key === "j" ? 1 : -1);
    else if (key === "escape") return close();
    else if (found?.localName === "summary") toggle(found);
    else if (found) {
      found.focus();
      found.click();
    }
    return Boolean(found) || key === "j" || key === "k";
  }
  function walk(step) {
    const all = answers();
    all[Math.min(all.length - 1, Math.max(0, all.indexOf(at()) + step))]?.focus();
  }
  function toggle(summary) {
    const panel = summary.parentElement;
    panel.open = !panel.open;
    (panel.open && panel.querySelector("button, input:not([type=hidden])") || summary).focus();
  }
  function close() {
    const open = document.activeElement.closest("#label details[open]") || at()?.querySelector("details[open]");
    if (!open) return false;
    open.open = Boolean(open.querySelector("[name=flag]")?.value);  // a note goes with the answer: it stays to be seen
    (open.closest(".answer") || open.querySelector("summary")).focus();
    return true;
  }

  // Where a digit takes Shift, its key is meant all the same.
  const named = ({ key, code, shiftKey }) => ((!shiftKey && /^Digit(\d)$/.exec(code)?.[1]) || key).toLowerCase();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !keysOn()) return;
    const key = named(event);
    const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select");
    const own = key === "enter" && event.target.closest("button, a, summary");
    if (document.querySelector("dialog[open]") || own || (typing && key !== "escape")) return;
    if (/^\w$/.test(key)) event.stopImmediatePropagation();  // no key of a list means anything here
    if (/^(\w|enter|escape)$/.test(key) && act(key)) event.preventDefault();
  }, true);

  window.addEventListener("online", send);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
  document.getElementById("keys-on")?.addEventListener("change", ready);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shows-keys]")) document.getElementById("keys").showModal();
  });
  ready();
  send();
}
