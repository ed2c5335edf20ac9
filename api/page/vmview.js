// SPDX-License-Identifier: Apache-2.0
// vmview.js - one machine: its three columns, why, what can be asked for, and a section of more.

import { moreMenu, nearButtons } from '/page/action.js';
import { configuration } from '/page/configuration.js';
import { consoleView } from '/page/console.js';
import { facts, h, setText } from '/page/dom.js';
import { feedOf } from '/page/feed.js';
import { incidents } from '/page/incidents.js';
import { machine } from '/page/machine.js';
import { spark } from '/page/spark.js';
import { store } from '/page/store.js';
import { age, rate, span, now } from '/page/time.js';
import { sentence, word } from '/page/vmlist.js';
import { every } from '/page/wait.js';

const PLACES = 90;

/* In the order of the keys 1, 2, ... */
export const sections = [
	{ id: 'console', name: 'Console', show: consoleView },
	{ id: 'incidents', name: 'Incidents', show: incidents },
	{ id: 'machine', name: 'Machine', show: machine },
	{ id: 'configuration', name: 'Configuration', show: configuration },
	{ id: 'events', name: 'Events', show: feedOf },
];

function columns(vm) {
	const restart = vm.restart_at ? `in ${span(Date.parse(vm.restart_at) - now() + 999)}` : '';
	return facts([
		['Desired', vm.desired],
		['Process', vm.signals.process],
		['Worker', vm.signals.worker],
		['Guest', vm.signals.guest],
		['Last end', vm.cause],
		['Restarts', String(vm.restarts)],
		['Next restart', restart],
		['Revision', vm.running_revision && vm.running_revision !== vm.revision
			? `${vm.revision}, runs ${vm.running_revision}` : String(vm.revision)],
		['Pid', vm.pid ? String(vm.pid) : ''],
		['Worker no.', vm.generation ? String(vm.generation) : ''],
		['Pair', vm.partner ? h('span', {}, `${vm.role}${vm.active ? ', active' : ''}, with `,
			h('a', { href: `#/vm/${vm.partner}` }, vm.partner)) : ''],
	], 'columns-of-vm');
}

function exitsOf(name, signal) {
	const line = spark(PLACES), number = h('strong'), by = h('span', { class: 'by' });
	store.watch(['rates'], () => {
		const rates = store.rates.get(name) || [];
		line.update(rates);
		setText(number, rates.length ? rate(rates[rates.length - 1]) : '–');
		setText(by, (store.reasons.get(name) || []).slice(0, 3).map(([r, n]) => `${r} ${rate(n)}`).join(' · '));
	}, signal);
	return h('div', { class: 'big-exits' }, h('p', {}, number, ' exits a second ', by), line.element);
}

/* What the header says; verbs only change with the state, so that a focus on them stays. */
function header(name, signal) {
	const observed = word('observed'), health = word('health');
	const why = h('p', { class: 'why' }), since = h('span', { class: 'since' });
	const verbs = h('div', { class: 'verbs' }), rows = h('div');
	let offered = '';

	function refresh() {
		const vm = store.vms.get(name);
		if (!vm)
			return;
		observed.update(vm.observed);
		health.update(vm.health);
		setText(since, `for ${age(vm.since)}`);
		setText(why, sentence(vm));
		/* Left alone when nothing has changed: somebody may be copying. */
		const fresh = columns(vm);
		if (fresh.textContent !== rows.textContent)
			rows.replaceChildren(fresh);
		const offers = `${vm.observed} ${store.verbs.length} ${vm.partner}`;
		if (offers === offered)
			return;
		offered = offers;
		verbs.replaceChildren(...nearButtons(vm), moreMenu(vm));
	}
	store.watch(['vms', 'verbs'], refresh, signal);
	every(1000, refresh, signal);
	return h('section', { class: 'vm-head', 'aria-label': name },
		h('div', { class: 'head' }, h('h1', {}, name), observed.element, since, health.element, verbs),
		why, rows, exitsOf(name, signal));
}

export function vmView(main, name, sectionId, signal) {
	const section = sections.find((s) => s.id === sectionId) || sections[0];
	const place = h('section', { class: 'section', 'aria-label': section.name });
	const gone = h('p', { class: 'gone' }, `There is no machine ${name}. `, h('a', { href: '#/' }, 'All machines'));
	const nav = h('nav', { class: 'tabs', 'aria-label': `Sections of ${name}` }, sections.map((s, i) => h('a', {
		href: `#/vm/${name}/${s.id}`, 'aria-current': s === section ? 'page' : null, title: `Key ${i + 1}`,
	}, s.name)));

	main.replaceChildren(h('p', { class: 'back' }, h('a', { href: '#/' }, '← All machines')), header(name, signal), nav, place, gone);
	store.watch(['vms', 'link'], () => {
		gone.hidden = store.vms.has(name) || store.link.word !== 'live';
	}, signal);
	section.show(place, name, signal);
}
