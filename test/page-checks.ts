/* What is asked of a page in the browser: each answers a list of what is wrong, so that an empty one is right. */

/** Text whose colour stands too little out against what is behind it: 4.5 to 1, or 3 to 1 where it is large (WCAG 1.4.3). */
export const CONTRAST = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b]
    .map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const wrong = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const { parentElement: element, textContent } = walker.currentNode;
    if (textContent.trim() === '' || !element.checkVisibility() || element.closest('title, desc, .hidden, .skip')) continue;
    const style = getComputedStyle(element);
    const ink = light(rgba(element instanceof SVGElement ? style.fill : style.color));
    const paper = light(ground(element));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    seen++;
    if (ratio < (large ? 3 : 4.5)) wrong.push(textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
  }
  return seen > 200 ? wrong : ['only ' + seen + ' texts were seen'];
})()`;

/** Pictures, tables, controls and regions without a name; cells that no heading speaks of. */
export const UNNAMED = `(() => {
  const named = (element) => {
    const by = (element.getAttribute('aria-labelledby') ?? '').split(' ').filter(Boolean);
    const label = by.map((id) => document.getElementById(id)?.textContent ?? '').join('') || element.getAttribute('aria-label') || '';
    return label.trim() !== '' || [...(element.labels ?? [])].some(({ textContent }) => textContent.trim() !== '');
  };
  const what = (element) => element.tagName + '#' + element.id + '.' + element.getAttribute('class');
  const nameless = [...document.querySelectorAll('svg[role=img], [role=region], [role=group], section, nav, form:not(#find), input:not([type=hidden]), [tabindex="0"]')]
    .filter((element) => !named(element));
  const silent = [...document.querySelectorAll('svg')].filter((svg) => !svg.closest('[role=img], [aria-hidden=true]'));
  const tables = [...document.querySelectorAll('table')].filter((table) => !table.caption?.textContent.trim());
  const cells = [...document.querySelectorAll('tr')].filter((row) => !row.querySelector('th[scope]'));
  const links = [...document.querySelectorAll('a, button, summary')].filter((element) => element.textContent.trim() === '');
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  return [...nameless, ...silent, ...tables, ...cells, ...links].map(what).concat(twice.map((id) => 'twice ' + id));
})()`;

/** Headings that leave a level out, or a page with more or less than one of the first level. */
export const HEADINGS = `(() => {
  const levels = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(({ tagName }) => Number(tagName[1]));
  const left = levels.filter((level, index) => index > 0 && level > levels[index - 1] + 1);
  return [...left.map((level) => 'h' + level + ' leaves a level out'), ...(levels.filter((level) => level === 1).length === 1 ? [] : ['h1'])];
})()`;
