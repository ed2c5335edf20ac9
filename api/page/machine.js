// SPDX-License-Identifier: Apache-2.0
// machine.js - the black box of a machine's present or last worker, looked at every two seconds.

import { get, problemText, vmPath } from '/page/api.js';
import { facts, h, table } from '/page/dom.js';
import { store } from '/page/store.js';
import { bytes, count, span } from '/page/time.js';
import { every } from '/page/wait.js';

const LOOK_MS = 2000;

function vdevRow(v) {
	const extra = [v.errors && `${count(v.errors)} errors`, v.drops && `${count(v.drops)} drops`,
		v.alarm_ms !== null && `bites in ${span(v.alarm_ms)}`, v.given && `${bytes(v.given)} given`];
	return [v.name, count(v.reads), count(v.writes), count(v.interrupts), bytes(v.bytes_in), bytes(v.bytes_out),
		extra.filter(Boolean).join(', ')];
}

function show(place, s) {
	const most = (exits) => Object.entries(exits).sort((a, b) => b[1] - a[1]).slice(0, 3)
		.map(([reason, n]) => `${reason} ${count(n)}`).join(', ');
	place.replaceChildren(
		facts([
			['By its own account', s.state],
			['Runs for', s.uptime_ms ? span(s.uptime_ms) : ''],
			['Heartbeats', s.heartbeat.age_ms === null ? 'none' : `${count(s.heartbeat.beats)}, the last ${count(s.heartbeat.age_ms)} ms ago`],
			['Exits', count(s.exits_total)],
			['Signs of life', count(s.signs)],
			['Console', bytes(s.console_bytes)],
			['How it ended', s.end ? s.end.sentence : ''],
			['Closed', s.sandbox.layers.join(', ')],
			['Not offered here', s.sandbox.missing.join(', ')],
		]),
		h('h3', {}, 'Virtual processors'),
		table('Virtual processors', ['vCPU', 'state', 'for', 'rip', 'exits', 'most of them'],
			s.vcpus.map((v) => [String(v.vcpu), v.state, v.since_ms ? span(v.since_ms) : '', v.last_rip, count(v.exits_total), most(v.exits)])),
		h('h3', {}, 'Virtual devices'),
		table('Virtual devices', ['name', 'reads', 'writes', 'interrupts', 'in', 'out', ''], s.vdevs.map(vdevRow)));
}

export function machine(place, vm, signal) {
	let isLooking = false; // one at a time, so that no answer is overtaken by an older one

	async function look() {
		if (isLooking || (place.contains(document.getSelection().anchorNode) && String(document.getSelection())))
			return; // somebody copies
		isLooking = true;
		await refresh();
		isLooking = false;
	}
	async function refresh() {
		const at = [...place.querySelectorAll('.scroll')].map((s) => s.scrollLeft);
		try {
			show(place, await get(`${vmPath(vm)}/status`, { signal }));
		} catch (e) {
			if (!signal.aborted && store.link.word === 'live')
				place.replaceChildren(h('p', { class: 'empty' }, problemText(e)));
			return;
		}
		place.querySelectorAll('.scroll').forEach((s, i) => {
			s.scrollLeft = at[i] || 0;
		});
	}
	look();
	every(LOOK_MS, () => document.hidden || look(), signal);
}
