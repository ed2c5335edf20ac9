// SPDX-License-Identifier: Apache-2.0
// feed.js - events as they come, newest first: of all machines, or of one, whose newest are asked for.

import { ask, problemText } from '/page/api.js';
import { h, setText } from '/page/dom.js';
import { store } from '/page/store.js';
import { clock, day } from '/page/time.js';

const SHOWN = 150;

function entry(event, isOfOne) {
	const where = event.vm && !isOfOne ? h('a', { href: `#/vm/${event.vm}` }, event.vm) : null;
	const incident = event.incident ? h('a', { href: `#/vm/${event.vm}/incidents` }, 'incident') : null;
	return h('li', { 'data-tone': event.incident ? 'bad' : null, 'data-kind': event.kind, 'data-seq': event.seq },
		h('time', { datetime: event.at, title: day(event.at) }, clock(event.at)),
		h('span', { class: 'kind' }, event.kind), where, incident,
		event.text === event.kind ? null : h('span', { class: 'text' }, event.text));
}

function prepend(list, event, isOfOne) {
	list.prepend(entry(event, isOfOne));
	while (list.children.length > SHOWN)
		list.lastChild.remove();
}

/* Fill a list element until the signal. */
export function feed(list, signal) {
	store.watch(['events'], (event) => {
		if (event)
			prepend(list, event, false);
		else
			list.replaceChildren(...store.events.slice(0, SHOWN).map((e) => entry(e, false)));
	}, signal);
}

/* Among the newest of a busy host there may be none of this machine's. */
async function newestOf(vm, signal) {
	const answer = await ask('GET', `/v1/events?vm=${encodeURIComponent(vm)}&tail=${SHOWN}`, { signal });
	return (await answer.text()).split('\n').filter(Boolean).map((line) => JSON.parse(line)).reverse();
}

export function feedOf(place, vm, signal) {
	const list = h('ol', { class: 'events' }), empty = h('p', { class: 'empty', hidden: true });
	let newest = -1, asked = 0; // sequence number that is shown; -1 = nothing is, and what comes waits

	function add(event) {
		if (event.vm !== vm || event.seq <= newest)
			return;
		newest = event.seq;
		empty.hidden = true;
		prepend(list, event, true);
	}
	async function begin() {
		const mine = ++asked;
		newest = -1;
		const events = await newestOf(vm, signal);
		if (mine !== asked)
			return;
		newest = events.length ? events[0].seq : 0;
		list.replaceChildren(...events.map((e) => entry(e, true)));
		for (const event of [...store.events].reverse())
			add(event);
		setText(empty, 'No event of it is kept.');
		empty.hidden = list.firstChild !== null;
	}
	place.replaceChildren(h('div', { class: 'log', role: 'log', 'aria-label': `Events of ${vm}` }, list), empty);
	store.watch(['events'], (event) => {
		if (event && event.kind !== 'left-out') {
			if (newest >= 0)
				add(event);
			return;
		}
		begin().catch((e) => {
			if (signal.aborted || list.firstChild)
				return;
			setText(empty, problemText(e));
			empty.hidden = false;
		});
	}, signal);
}
