// heed, labelling: answers that are kept on this device until the server has confirmed them, and keys for the card
// the keyboard is at. Everything works without it. No customer's words are kept, only what was answered, under the name
// of who answered: the server takes it from nobody else.
"use strict";
{
  const UNDO = "/review/undo";
  const part = () => document.getElementById("label");
  const place = `heed answers of ${part().dataset.person}`;
  const PATIENCE = 20_000;  // for an answer of the server: a connection that died in a tunnel never says so
  let unstored = null;  // the queue, where the browser has no room for it
  let tries = 0, later, lease, sending = false;

  // What was not confirmed yet, oldest first; all tabs share it.
  function kept() {
    return unstored || JSON.parse(localStorage.getItem(place)) || [];
  }
  function keep(entries) {
    try {
      if (entries.length) localStorage.setItem(place, JSON.stringify(entries));
      else localStorage.removeItem(place);
      unstored = null;
    } catch {
      unstored = entries;
    }
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
  function tell(tone, ...words) {
    const [state, sign] = [document.createElement("span"), document.createElement("span")];
    state.className = `state ${tone}`;
    sign.className = "sign";
    sign.setAttribute("aria-hidden", "true");
    sign.textContent = SIGNS[tone];
    state.append(sign, " ", ...words);
    document.getElementById("kept").replaceChildren(state);
  }

  // One at a time, and one tab (where the browser can tell); the screen goes on when the server has confirmed.
  async function send() {
    if (sending) return;
    sending = true;
    clearTimeout(later);
    if (navigator.locks) await navigator.locks.request(place, { ifAvailable: true }, (alone) => alone ? sendAll() : soon());
    else await sendAll();
    sending = false;
  }
  function soon() {
    later = setTimeout(send, Math.min(30_000, 1_000 * 2 ** tries++));
  }
  async function sendAll() {
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
    }
  }

  // The page that comes next; null where the server has not answered for good.
  async function post({ address, fields }) {
    const token = document.querySelector("[name=csrf]").value;
    try {
      const body = new URLSearchParams([["csrf", token], ...fields]);
      const { status, url, page } = await ask(address, { method: "POST", body });
      if (new URL(url).pathname === "/sign-in") return wait(again("sign in again"));
      if (status === 403) return wait(again("load this page again"));
      if ([408, 429].includes(status) || status >= 500) return wait("heed is busy");
      if (page.getElementById("label")) return page;
      const { page: next } = await ask("/review");
      next.getElementById("label").dataset.refused = page.querySelector("#main p").textContent.trim();
      return next;
    } catch {  // no network, or somebody else's page (that of a train) in place of ours
      return wait("waiting for the network");
    }
  }
  async function ask(address, options) {
    const signal = AbortSignal.timeout(PATIENCE);
    const answered = await fetch(address, { ...options, credentials: "same-origin", signal });
    const page = new DOMParser().parseFromString(await answered.text(), "text/html");
    return { status: answered.status, url: answered.url, page };
  }
  function wait(words) {
    tell("warn", words, unstored ? ": do not close this page" : ": kept on this device");
    soon();
    return null;
  }
  const again = (words) => Object.assign(document.createElement("a"), { href: "/review", textContent: words });

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
    for (const id of ["far", "kept"])  // they stay, so that what is told is read out
      document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
    const [rail, news] = [document, page].map((one) => one.querySelector(".rail a[href='/review']"));
    if (rail && news) rail.replaceChildren(...news.childNodes);
    document.title = page.title;
    history.replaceState(null, "", "/review");
    if (fresh.dataset.refused) tell("bad", fresh.dataset.refused);
    ready();
    if (!inside) return;
    const next = fresh.querySelector(".error") || (same && at()) || fresh.querySelector(".spoken, .empty");
    if (!next.hasAttribute("tabindex")) next.tabIndex = -1;  // so that the keyboard is somewhere, whatever is gone
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

  // Whoever signs out leaves nothing of theirs behind, and is told before it is lost.
  document.addEventListener("submit", (event) => {
    if (new URL(event.target.action).pathname !== "/sign-out" || !kept().length) return;
    if (event.target.dataset.told) return keep([]);
    event.preventDefault();
    event.target.dataset.told = "yes";
    tell("warn", "an answer is not saved yet: sign out once more to throw it away");
  });

  // No label is right, or some are; which of both has to be said.
  function weigh(form, changed) {
    const boxes = [...form.querySelectorAll("[type=checkbox][name=label]")];
    if (changed?.checked) for (const one of boxes) if (!one.value !== !changed.value) one.checked = false;
    boxes[0]?.setCustomValidity(boxes.some((one) => one.checked) ? "" : "Choose what is right, or that none of these is.");
  }
  document.addEventListener("change", ({ target }) => target.name === "label" && weigh(target.form, target));

  // Keys. They go to the card that is `at`: the one the keyboard or the mouse was in last.
  const answers = () => [...part().querySelectorAll(".answer")];
  const at = () => part().querySelector(".answer.at");
  function stand(card) {
    for (const one of answers()) one.classList.toggle("at", one === card);
  }
  function ready() {
    if (!at()) stand(part().querySelector(".error")?.closest(".answer") || answers()[0]);
    for (const one of answers()) weigh(one.querySelector("form"));
    part().classList.toggle("keyed", keysOn());
    const until = part().querySelector("[data-until]");
    clearTimeout(lease);
    if (until) lease = setTimeout(over, new Date(until.dataset.until) - Date.now(), until);
  }
  function over(line) {
    line.className = "notice warn";
    line.textContent = line.dataset.over;
    tell("warn", "your time for this card is over");
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

  // Where a digit takes Shift, or letters are not Latin, the key at that place is meant all the same.
  function named({ key, code, shiftKey }) {
    const [, digit, letter] = /^(?:Digit(\d)|Key([A-Z]))$/.exec(code) || [];
    return ((!shiftKey && digit) || (/^[^\0-ɏ]$/u.test(key) && letter) || key).toLowerCase();
  }
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
  window.addEventListener("storage", async ({ key, newValue }) => {  // another tab has saved what this one shows
    if (key === place && !newValue) await ask("/review").then(({ page }) => show(page, null)).catch(() => {});
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
  document.getElementById("keys-on")?.addEventListener("change", ready);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shows-keys]")) document.getElementById("keys").showModal();
  });
  ready();
  send();
}
