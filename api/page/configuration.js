// SPDX-License-Identifier: Apache-2.0
// configuration.js - what a machine is made of and what shall follow its ends. Only to read.

import { get, problemText, vmPath } from '/page/api.js';
import { facts, h } from '/page/dom.js';
import { store } from '/page/store.js';
import { day } from '/page/time.js';

function text(value) {
	return Array.isArray(value) ? value.join(', ') : String(value);
}

export function configuration(place, name, signal) {
	let shown = 0;

	async function refresh() {
		const vm = await get(vmPath(name), { signal });
		if (vm.revision === shown)
			return;
		shown = vm.revision;
		place.replaceChildren(
			h('h3', {}, `Revision ${vm.revision}`, h('span', { class: 'aside' }, ` in ${vm.folder || '/'}; defined ${day(vm.created)}`)),
			h('pre', { tabindex: '0', 'aria-label': 'Configuration', class: 'conf' }, vm.config),
			h('h3', {}, 'Policy'),
			facts(Object.entries(vm.policy).map(([field, value]) => [field, text(value)]), 'facts policy'),
			h('h3', {}, 'What holds its worker'),
			Object.keys(vm.limits).length ? facts(Object.entries(vm.limits)) : h('p', { class: 'hint' }, 'It has no worker.'));
	}
	store.watch(['events'], (event) => (!event || event.vm === name) && refresh().catch((e) => {
		if (!signal.aborted && !place.firstChild)
			place.replaceChildren(h('p', { class: 'empty' }, problemText(e)));
	}), signal);
}
