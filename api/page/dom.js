// SPDX-License-Identifier: Apache-2.0
// dom.js - elements made of values. Text becomes text and nothing else: there is no way to markup here.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
	for (const [name, value] of Object.entries(attributes || {}))
		if (name.startsWith('on'))
			element.addEventListener(name.slice(2), value);
		else if (value === true)
			element.setAttribute(name, '');
		else if (value !== false && value !== null && value !== undefined)
			element.setAttribute(name, value);
	element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
	return element;
}

/* h('button', {class: 'quiet', onclick: f}, 'Stop') */
export function h(tag, attributes, ...children) {
	return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
	return fill(document.createElementNS(SVG, tag), attributes, children);
}

/* Only what differs is touched, so that a reader or a selection is not disturbed. */
export function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

export function byId(id) {
	return document.getElementById(id);
}

/* A definition list of [term, value] pairs; what is empty is left out. */
export function facts(pairs, name) {
	return h('dl', { class: name || 'facts' }, pairs
		.filter(([, value]) => value !== '' && value !== null && value !== undefined)
		.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))));
}

/* A table that scrolls by itself where it is too wide. */
export function table(name, heads, rows) {
	return h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': name },
		h('table', {},
			h('thead', {}, h('tr', {}, heads.map((t) => h('th', { scope: 'col' }, t)))),
			h('tbody', {}, rows.map((row) => h('tr', {}, row.map((t) => h('td', {}, t)))))));
}
