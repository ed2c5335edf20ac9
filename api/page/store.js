// SPDX-License-Identifier: Apache-2.0
// store.js - what this page knows, and who wants to hear of changes. link.js fills it.

const EVENTS_MOST = 400;
const RATES_MOST = 90;

class Store extends EventTarget {
	vms = new Map(); // by name, as /v1/vms tells
	events = []; // newest first
	rates = new Map(); // by name: exits a second, oldest first
	reasons = new Map(); // by name: [reason, exits a second], most first
	verbs = []; // of a VM: {verb, summary}, as the document tells
	roles = new Map(); // by operation, as 'POST /v1/...': who may, as the document tells
	me = null; // as /v1/whoami tells
	host = null; // as /v1/host tells
	health = null; // as /healthz tells
	link = { word: 'connecting', freshAt: 0, retryAt: 0, why: '', isTooOften: false };
	#counts = new Map();

	/* what: vms, events, rates, me, host, health, link, verbs */
	changed(what, detail) {
		this.dispatchEvent(new CustomEvent(what, { detail }));
	}

	/* Call f now and at each change until the signal. */
	watch(whats, f, signal) {
		for (const what of whats)
			this.addEventListener(what, (e) => f(e.detail), { signal });
		f();
	}

	setVms(list) {
		this.vms = new Map(list.map((vm) => [vm.name, vm]));
		for (const name of [...this.rates.keys()])
			if (!this.vms.has(name))
				for (const map of [this.rates, this.reasons, this.#counts])
					map.delete(name);
		this.changed('vms');
	}

	setLink(link) {
		this.link = { ...this.link, ...link };
		this.changed('link');
	}

	set(what, value) {
		this[what] = value;
		this.changed(what);
	}

	addEvent(event) {
		this.events.unshift(event);
		this.events.length = Math.min(this.events.length, EVENTS_MOST);
		this.changed('events', event);
	}

	/* counts: by VM, exits by reason; at: milliseconds of a clock that only grows. A new worker counts from 0. */
	addCounts(counts, at) {
		for (const [name, exits] of counts) {
			const last = this.#counts.get(name);
			const line = this.rates.get(name) || [];
			this.#counts.set(name, { exits, at });
			if (last) {
				const by = Object.entries(exits)
					.map(([reason, n]) => [reason, Math.max(0, n - (last.exits[reason] || 0)) * 1000 / (at - last.at)]);
				line.push(by.reduce((sum, [, n]) => sum + n, 0));
				this.reasons.set(name, by.filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]));
			}
			this.rates.set(name, line.slice(-RATES_MOST));
		}
		/* Of a machine without a black box nothing is counted. */
		for (const name of this.vms.keys())
			if (!counts.has(name))
				this.#counts.delete(name);
		this.changed('rates');
	}
}

export const store = new Store();
