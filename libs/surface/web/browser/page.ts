import { addDays, addMonths, dateOfDay, dayNumber, type LocalDate } from '../../../kernel/dates.js';
import { dateText } from '../../formats/vietnamese.js';

/*
 * What moves on the page. It asks the server for the page of other days and puts its parts in place of these: figures,
 * pictures and words are made in one place, and what is seen is what the address says.
 */

/** A slider is let come to rest so long before its day is asked for. */
const SETTLE_MS = 60;

type Day = 'asOf' | 'knownOn';
const DAYS: readonly Day[] = ['asOf', 'knownOn'];

const form = found<HTMLFormElement>('days');
const main = found<HTMLElement>('main');
const language = form.dataset.language === 'en' ? 'en' : 'vi';
const { first = '', open = '', everything = '', failed = '' } = form.dataset;

/** The days and the loan that were asked for last. */
let asked = location.search;
let waiting: AbortController | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

if (first !== '') for (const day of DAYS) startSlider(day);
document.addEventListener('submit', onSubmit);
document.addEventListener('click', onClick);
document.addEventListener('pointerover', onPoint);
document.addEventListener('keydown', onKey);
document.addEventListener('focusout', onLeave);
addEventListener('popstate', () => {
  // To another place of the same page.
  if (location.search === asked) return;
  showDays(new URL(location.href));
  void show(new URL(location.href));
});

// ------------------------------------------------------------------------------------------------------- the sliders

function startSlider(day: Day): void {
  const slider = found<HTMLInputElement>(`${day}-slider`);
  slider.min = String(dayNumber(first as LocalDate));
  slider.max = String(dayNumber(open as LocalDate));
  slider.disabled = false;
  slider.addEventListener('input', () => {
    // At its end a slider stands for the open day, or for all that is recorded.
    const chosen = slider.value === slider.max ? '' : dateOfDay(Number(slider.value));
    write(day, chosen);
    const address = new URL(location.href);
    if (chosen === '') address.searchParams.delete(day);
    else address.searchParams.set(day, chosen);
    address.hash = '';
    history.replaceState(null, '', address);
    main.setAttribute('aria-busy', 'true');
    // What comes now is of a day that is no longer asked for, and must not look as if it were.
    waiting?.abort();
    clearTimeout(timer);
    timer = setTimeout(() => void show(address), SETTLE_MS);
  });
  slider.addEventListener('keydown', (event) => {
    const months = event.key === 'PageUp' ? 1 : event.key === 'PageDown' ? -1 : 0;
    if (months === 0) return;
    event.preventDefault();
    slider.value = String(dayNumber(monthsOn(dateOfDay(Number(slider.value)), months)));
    slider.dispatchEvent(new Event('input'));
  });
  showDay(day, new URL(location.href));
}

/** From a month's end to another month's end. */
function monthsOn(day: LocalDate, months: number): LocalDate {
  const next = addDays(day, 1);
  return next.endsWith('-01') ? addDays(addMonths(next, months), -1) : addMonths(day, months);
}

function showDays(address: URL): void {
  for (const day of DAYS) showDay(day, address);
}

function showDay(day: Day, address: URL): void {
  const slider = found<HTMLInputElement>(`${day}-slider`);
  const asked = address.searchParams.get(day) ?? '';
  slider.value = asked === '' ? slider.max : String(dayNumber(asked as LocalDate));
  write(day, asked);
}

/** Writes a day where it is read, without waiting for the figures. */
function write(day: Day, chosen: string): void {
  const text = chosen === '' ? (day === 'asOf' ? dateText(open, language) : everything) : dateText(chosen, language);
  found(`${day}-text`).textContent = text;
  found(`${day}-slider`).setAttribute('aria-valuetext', text);
  found<HTMLInputElement>(day).value = chosen === '' && day === 'asOf' ? open : chosen;
}

// ------------------------------------------------------------------------------------------------------- the figures

/** Shows the page of an address. What was asked for before and has not come is no longer wanted. */
async function show(address: URL): Promise<void> {
  waiting?.abort();
  const own = new AbortController();
  waiting = own;
  asked = address.search;
  main.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(address, { signal: own.signal, headers: { accept: 'text/html' } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const text = await answer.text();
    if (own.signal.aborted) return;
    take(new DOMParser().parseFromString(text, 'text/html'));
  } catch {
    if (own.signal.aborted) return;
    found('as-of-line').textContent = failed;
  }
  main.setAttribute('aria-busy', 'false');
}

function take(next: Document): void {
  const opened = [...main.querySelectorAll('details[open]')].map(({ id }) => id);
  const focused = document.activeElement?.id ?? '';
  for (const id of ['main', 'as-of-line', 'language', 'ahead']) {
    const [here, there] = [found(id), next.getElementById(id)];
    if (there === null) continue;
    here.replaceChildren(...there.childNodes);
    if (there instanceof HTMLAnchorElement) here.setAttribute('href', there.getAttribute('href') ?? '/');
    here.hidden = there.hidden;
  }
  for (const id of opened) document.getElementById(id)?.setAttribute('open', '');
  if (focused !== '' && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
}

// --------------------------------------------------------------------------------------- another loan, another place

function onSubmit(event: SubmitEvent): void {
  if (!(event.target instanceof HTMLFormElement) || event.target.id !== 'find') return;
  event.preventDefault();
  const address = new URL(location.href);
  address.searchParams.set('loan', found<HTMLInputElement>('loan-id').value);
  go(address);
}

function onClick(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return;
  const address = new URL(link.href);
  if (address.origin !== location.origin || address.pathname !== '/' || !link.closest('.suggested')) return;
  event.preventDefault();
  go(address);
}

function go(address: URL): void {
  address.hash = '';
  history.pushState(null, '', address);
  void show(address);
}

// ------------------------------------------------------------------------------------------------- reading a picture

function onPoint(event: Event): void {
  if (event.target instanceof SVGRectElement && event.target.classList.contains('strip')) say(event.target);
}

function onKey(event: KeyboardEvent): void {
  const place =
    event.target instanceof HTMLElement && event.target.classList.contains('readable') ? event.target : null;
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (place === null || step === undefined) return;
  event.preventDefault();
  const strips = [...place.querySelectorAll<SVGRectElement>('.strip')];
  const chosen = strips.findIndex((strip) => strip.classList.contains('chosen'));
  const next =
    chosen < 0 ? (step > 0 ? 0 : strips.length - 1) : Math.min(Math.max(chosen + step, 0), strips.length - 1);
  const strip = strips[next];
  if (strip !== undefined) say(strip);
}

function onLeave(event: FocusEvent): void {
  const place = event.target instanceof HTMLElement ? event.target.closest('.readable') : null;
  for (const strip of place?.querySelectorAll('.chosen') ?? []) strip.classList.remove('chosen');
}

function say(strip: SVGRectElement): void {
  const place = strip.closest('.readable');
  for (const other of place?.querySelectorAll('.chosen') ?? []) other.classList.remove('chosen');
  strip.classList.add('chosen');
  const said = document.querySelector(`.said[data-of="${place?.id}"]`);
  if (said !== null) said.textContent = strip.dataset.says ?? '';
}

function found<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no ${id}`);
  return element as T;
}
