// SPDX-License-Identifier: Apache-2.0
// configuration.js - what a machine is made of and what shall follow its ends. Only to read.

import { get, vmPath } from '/page/api.js';
import { facts, h } from '/page/dom.js';
import { reading } from '/page/reading.js';
import { day } from '/page/time.js';

function text(value) {
	return Array.isArray(value) ? value.join(', ') : String(value);
}

export function configuration(place, name, signal) {
	reading(place, name, signal, {
		read: () => get(vmPath(name), { signal }),
		/* One that was deleted and defined anew counts its revisions from 1 again. */
		key: (vm) => JSON.stringify([vm.revision, vm.created, vm.config, vm.folder, vm.policy, vm.limits]),
		draw: (vm) => [
			h('h3', {}, `Revision ${vm.revision}`, h('span', { class: 'aside' }, ` in ${vm.folder || '/'}; defined ${day(vm.created)}`)),
			h('pre', { tabindex: '0', 'aria-label': 'Configuration', class: 'conf' }, vm.config),
			h('h3', {}, 'Policy'),
			facts(Object.entries(vm.policy).map(([field, value]) => [field, text(value)]), 'facts policy'),
			h('h3', {}, 'What holds its worker'),
			Object.keys(vm.limits).length ? facts(Object.entries(vm.limits)) : h('p', { class: 'hint' }, 'It has no worker.'),
		],
	});
}
