// SPDX-License-Identifier: Apache-2.0
// keys.js - one key for what is wanted often. None of them does anything while something is typed.

import { byId, h } from '/page/dom.js';
import { isOpen, open } from '/page/dialog.js';

/* key, what it does for people, how; context: {vm: name or '', section(i), home()} */
const keys = [
	{ key: '?', what: 'These keys', run: () => showHelp() },
	{ key: '/', what: 'Filter the machines', run: (c) => {
		c.home();
		requestAnimationFrame(() => byId('filter')?.focus());
	} },
	{ key: 'j', what: 'Next machine', run: () => step(1) },
	{ key: 'k', what: 'Previous machine', run: () => step(-1) },
	{ key: 'u', what: 'Back to all machines', run: (c) => c.home() },
	{ key: 'a', what: 'What can be asked of this machine', run: () => verbs()?.focus() },
	{ key: 'e', what: 'Events', run: () => document.querySelector('.rail .log').focus() },
	{ key: '1 … 5', what: 'Console, incidents, machine, configuration, events of a machine', test: /^[1-5]$/, run: (c, key) => c.section(key - 1) },
];
/* Of the browser and of this page's lists, for the help alone. */
const others = [
	['Enter', 'Open the machine'],
	['Esc', 'Close a question without doing anything'],
	['Shift Tab', 'Leave the terminal'],
];

function step(by) {
	const links = [...document.querySelectorAll('.vms .name')];
	const at = links.findIndex((l) => l.closest('.vm').contains(document.activeElement));
	links[Math.max(0, Math.min(links.length - 1, at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by))]?.focus();
}

function verbs() {
	const row = document.activeElement.closest('.vm');
	return (row || document.querySelector('.vm-head'))?.querySelector('.verbs button, .verbs summary');
}

function showHelp() {
	const line = (key, what) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, what));
	open({ name: 'Keys', body: [h('dl', { class: 'keys' }, keys.map((k) => line(k.key, k.what)), others.map(([k, w]) => line(k, w)))] });
}

export function listenToKeys(context) {
	byId('help').addEventListener('click', showHelp);
	document.addEventListener('keydown', (e) => {
		if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || isOpen())
			return;
		if (e.target.closest('input, textarea, select, [contenteditable]'))
			return;
		const found = keys.find((k) => (k.test ? k.test.test(e.key) : k.key === e.key));
		if (!found)
			return;
		e.preventDefault();
		found.run(context, e.key);
	});
}
