// SPDX-License-Identifier: Apache-2.0
// feed.js - events as they come, newest first: of all machines, or of one.

import { h } from '/page/dom.js';
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

/* Fill a list element until the signal; vm: only its events. */
export function feed(list, vm, signal) {
	const wanted = (event) => !vm || event.vm === vm;

	function begin() {
		list.replaceChildren(...store.events.filter(wanted).slice(0, SHOWN).map((e) => entry(e, Boolean(vm))));
	}
	store.watch(['events'], (event) => {
		if (!event) {
			begin();
			return;
		}
		if (!wanted(event))
			return;
		list.prepend(entry(event, Boolean(vm)));
		while (list.children.length > SHOWN)
			list.lastChild.remove();
	}, signal);
}
