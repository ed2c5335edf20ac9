// SPDX-License-Identifier: Apache-2.0
// incidents.js - why a machine failed: the whole report of each incident, the newest one open.

import { get, vmPath } from '/page/api.js';
import { facts, h, table } from '/page/dom.js';
import { reading } from '/page/reading.js';
import { bytes, count, day, duration, span } from '/page/time.js';

const LIMIT = 20;

function registers(vcpu) {
	const names = Object.entries(vcpu.registers);
	return h('div', { class: 'vcpu' },
		h('h4', {}, `vCPU ${vcpu.vcpu}`, h('span', { class: 'aside' }, ` ${vcpu.state}, ${count(vcpu.exits)} exits, last at ${vcpu.rip}`)),
		names.length ? facts(names, 'registers') : h('p', { class: 'hint' }, 'The worker could no longer read its registers.'));
}

function before(us) {
	return us < 10000 ? `${count(us)} µs` : us < 1e6 ? `${(us / 1000).toFixed(1)} ms` : span(us / 1000);
}

function exits(list) {
	return table('Last exits', ['before the end', 'vCPU', 'reason', 'access', 'address', 'width', 'value', 'rip'],
		list.map((x) => [before(x.ago_us), String(x.vcpu), x.reason,
			...(x.width ? [x.access, x.address, String(x.width), x.value] : ['', '', '', '']), x.rip]));
}

function part(name, ...content) {
	return h('section', { class: 'part' }, h('h3', {}, name), content);
}

function words(name, text) {
	return text ? part(name, h('pre', { tabindex: '0', 'aria-label': name }, text)) : null;
}

function report(incident, isOpen) {
	return h('details', { class: 'incident', open: isOpen, 'data-incident': incident.id },
		h('summary', {}, h('span', { class: 'sentence' }, incident.sentence),
			h('span', { class: 'aside' }, `${day(incident.at)} · ${incident.cause} · no. ${incident.id}`)),
		incident.detail && !incident.sentence.includes(incident.detail) ? h('p', { class: 'detail' }, incident.detail) : null,
		incident.error ? h('p', { class: 'detail' }, incident.error.detail, h('span', { class: 'hint' }, ` ${incident.error.hint}`)) : null,
		h('p', { class: 'reaction' }, 'What follows: ', incident.reaction),
		facts([
			['Noticed', day(incident.noticed)],
			['Worker no.', String(incident.generation)],
			['Revision', String(incident.revision)],
			['Signal', incident.signal],
			['System call', incident.syscall],
			['Exit code', incident.exit_code < 0 ? '' : String(incident.exit_code)],
			['Ran for', duration(incident.uptime_ms)],
			['Processor time', incident.cpu_ms ? duration(incident.cpu_ms) : ''],
			['Most memory', incident.peak_bytes ? bytes(incident.peak_bytes) : ''],
			['Exits', count(incident.exits_total)],
			['Dump', incident.dump],
		]),
		incident.vcpus.length ? part('Registers', incident.vcpus.map(registers)) : null,
		incident.exits.length ? part('Last exits', exits(incident.exits)) : null,
		words('Last console lines', incident.console),
		words('Last words of the worker', incident.log));
}

export function incidents(place, vm, signal) {
	reading(place, vm, signal, {
		read: () => get(`${vmPath(vm)}/incidents?limit=${LIMIT}`, { signal }),
		key: (list) => list.incidents.map((i) => `${i.id}${i.dump}`).join(),
		draw(list) {
			const open = new Set([...place.querySelectorAll('details[open]')].map((d) => d.dataset.incident));
			return [
				...list.incidents.map((incident, i) => report(incident, i === 0 || open.has(String(incident.id)))),
				list.incidents.length ? h('p', { class: 'hint' }, list.next
					? `The newest ${LIMIT}; qvmadm incidents ${vm} has the older ones.` : 'These are all that are kept.')
					: h('p', { class: 'empty' }, 'It has not failed.'),
			];
		},
	});
}
