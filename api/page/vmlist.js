// SPDX-License-Identifier: Apache-2.0
// vmlist.js - all machines, one row each. A row keeps its elements, so that focus and selection stay.

import { nearButtons } from '/page/action.js';
import { h, setText } from '/page/dom.js';
import { spark } from '/page/spark.js';
import { store } from '/page/store.js';
import { age, rate } from '/page/time.js';
import { every } from '/page/wait.js';
import { glyph, tone } from '/page/words.js';

const PLACES = 45;

let filter = '';

/* A word of the API with its look, that is more than a colour. */
export function word(of) {
	const mark = h('span', { 'aria-hidden': 'true', class: 'glyph' }), text = h('span');
	const element = h('span', { class: `word ${of}` }, mark, text);
	return {
		element,
		update(value) {
			element.dataset.tone = tone(of, value);
			setText(mark, glyph(of, value));
			setText(text, value);
		},
	};
}

/* Why it is as it is, in one line. */
export function sentence(vm) {
	const isWell = tone('observed', vm.observed) === 'good';
	const parts = [vm.reason && isWell ? `last end: ${vm.reason}` : vm.reason];
	if (vm.signals.why)
		parts.push(vm.signals.why);
	if (vm.desired !== vm.observed)
		parts.push(`desired: ${vm.desired}`);
	if (vm.restart_at)
		parts.push('a restart is due');
	if (vm.partner)
		parts.push(`${vm.role} of a pair with ${vm.partner}${vm.active ? ', active' : ''}`);
	return parts.filter(Boolean).join(' · ');
}

function makeRow(name) {
	const observed = word('observed'), health = word('health'), line = spark(PLACES);
	const why = h('p', { class: 'why' }), since = h('span', { class: 'since' });
	const figure = h('span'), number = h('span', { class: 'rate' }, figure, h('span', { class: 'unseen' }, ' exits'));
	const verbs = h('span', { class: 'verbs' });
	let offered = '';
	const element = h('li', { class: 'vm', 'data-vm': name },
		h('span', { class: 'state' }, observed.element, since),
		h('div', { class: 'who' }, h('a', { class: 'name', href: `#/vm/${name}` }, name), why),
		health.element,
		h('span', { class: 'exits' }, line.element, number),
		verbs);

	function update(vm) {
		observed.update(vm.observed);
		health.update(vm.health);
		element.dataset.tone = tone('observed', vm.observed);
		element.dataset.observed = vm.observed;
		setText(why, sentence(vm));
		setText(since, `for ${age(vm.since)}`);
		const offers = `${vm.observed} ${store.verbs.length}`;
		if (offers === offered)
			return;
		offered = offers;
		const had = verbs.contains(document.activeElement);
		verbs.replaceChildren(...nearButtons(vm));
		if (had)
			element.querySelector('.name').focus();
	}
	function updateRate() {
		const rates = store.rates.get(name) || [];
		line.update(rates.slice(-PLACES));
		setText(figure, rates.length ? `${rate(rates[rates.length - 1])}/s` : '–');
	}
	return { element, update, updateRate };
}

/* What an empty list means; nothing is said of a host that is not known. */
function empty() {
	if (store.link.word === 'denied')
		return h('p', { class: 'empty' }, 'Sign in to see the machines.');
	if (store.vms.size)
		return h('p', { class: 'empty' }, 'No machine matches the filter.');
	return store.link.word === 'live' && h('p', { class: 'empty' },
		'No machines yet. ', h('code', {}, 'qvmadm define NAME FILE.qvmconf'), ' makes one.');
}

/* The view; it ends with the signal. */
export function vmList(main, signal) {
	const list = h('ol', { class: 'vms', 'aria-label': 'Machines' }), rows = new Map();
	const none = h('div');
	const input = h('input', {
		type: 'search', id: 'filter', placeholder: 'Filter by name or state', 'aria-label': 'Filter by name or state',
		value: filter, autocomplete: 'off', spellcheck: 'false', oninput: () => {
			filter = input.value.trim();
			refresh();
		},
	});

	function matches(vm) {
		return filter.split(/\s+/).every((f) => [vm.name, vm.observed, vm.desired, vm.health].some((t) => t.includes(f)));
	}
	function refresh() {
		const shown = [...store.vms.values()].filter(matches), names = new Set(shown.map((vm) => vm.name));
		for (const [name, row] of rows)
			if (!names.has(name)) {
				row.element.remove();
				rows.delete(name);
			}
		let before = null;
		for (const vm of shown) {
			if (!rows.has(vm.name))
				rows.set(vm.name, makeRow(vm.name));
			const row = rows.get(vm.name);
			row.update(vm);
			row.updateRate();
			if (row.element.previousElementSibling !== before || !row.element.isConnected)
				before ? before.after(row.element) : list.prepend(row.element);
			before = row.element;
		}
		none.replaceChildren(...(shown.length ? [] : [empty() || '']));
	}
	main.replaceChildren(
		h('div', { class: 'head' }, h('h1', {}, 'Machines'), input),
		h('div', { class: 'columns', 'aria-hidden': 'true' },
			['State', 'Machine', 'Health', 'Exits a second', ''].map((t) => h('span', {}, t))),
		list, none);
	store.watch(['vms', 'verbs', 'link'], refresh, signal);
	store.watch(['rates'], () => rows.forEach((row) => row.updateRate()), signal);
	every(1000, () => rows.forEach((row, name) => store.vms.has(name) && row.update(store.vms.get(name))), signal);
}
