// SPDX-License-Identifier: Apache-2.0
// banner.js - what somebody who looks must know before anything else: that the view is old, that the
// supervisor is away, that the host is in its safe state.

import { connect } from '/page/link.js';
import { h, byId, setText } from '/page/dom.js';
import { store } from '/page/store.js';
import { clock, span } from '/page/time.js';
import { RELEASE_HOST, settle } from '/page/right.js';
import { confirmHostRelease, settleVerbs } from '/page/action.js';

/* Each: is it so; how it looks; what it says. The counting part is not read out each second. */
const banners = [
	{
		id: 'stale',
		tone: 'bad',
		holds: () => store.link.word === 'lost',
		title: () => (store.link.freshAt ? `Stale since ${clock(store.link.freshAt)}`
			: store.link.isTooOften ? 'Asked too often' : 'No connection'),
		text: () => `${store.link.why} ${store.link.freshAt ? 'What you see is old, and nothing can be asked for.' : ''}`,
		counting: () => (store.link.freshAt ? `${span(Date.now() - store.link.freshAt)} old, ` : '')
			+ `next try in ${span(store.link.retryAt - Date.now() + 999)}`,
		button: () => h('button', { type: 'button', onclick: connect }, 'Try now'),
	},
	{
		id: 'supervisor',
		tone: 'bad',
		holds: () => store.health && !store.health.supervisor,
		title: () => 'The supervisor is away',
		text: () => 'Machines may run on, but nobody watches them now; what you see is its last word.',
	},
	{
		id: 'store',
		tone: 'bad',
		holds: () => store.health && !store.health.store,
		title: () => 'The database cannot be read',
		text: () => 'States and incidents are not known.',
	},
	{
		id: 'host-safe',
		tone: 'warn',
		holds: () => store.health && store.health.host,
		title: () => 'Host safe state',
		text: () => `${store.health.host}. No machine is started until an operator releases the host.`,
		button: () => h('button', { type: 'button', onclick: confirmHostRelease }, 'Release host …'),
		settle: (button) => settle(button, RELEASE_HOST, ''),
	},
];

function make(b) {
	b.text_ = h('span', { class: 'text' });
	b.title_ = h('strong');
	b.counting_ = b.counting && h('span', { class: 'counting', 'aria-hidden': 'true' });
	b.button_ = b.button && b.button();
	b.element = h('div', { class: 'banner', 'data-tone': b.tone, 'data-banner': b.id },
		h('p', {}, b.title_, ' ', b.text_, ' ', b.counting_), b.button_);
}

function refresh() {
	document.body.toggleAttribute('data-stale', store.link.word !== 'live');
	settleVerbs();
	for (const b of banners) {
		if (!b.holds()) {
			b.element?.remove();
			continue;
		}
		if (!b.element)
			make(b);
		if (!b.element.isConnected)
			byId('banners').append(b.element);
		setText(b.title_, b.title());
		setText(b.text_, b.text());
		if (b.counting)
			setText(b.counting_, b.counting());
		b.settle?.(b.button_);
	}
}

export function showBanners() {
	store.watch(['link', 'health', 'me', 'verbs'], refresh);
	setInterval(refresh, 1000);
}
