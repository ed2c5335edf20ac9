// SPDX-License-Identifier: Apache-2.0
// main.js - the page: what stands at its top, and which view the address names.

import { showAccount } from '/page/account.js';
import { showBanners } from '/page/banner.js';
import { open } from '/page/dialog.js';
import { byId, facts, h, setText } from '/page/dom.js';
import { feed } from '/page/feed.js';
import { listenToKeys } from '/page/keys.js';
import { connect, disconnect } from '/page/link.js';
import { store } from '/page/store.js';
import { vmList } from '/page/vmlist.js';
import { sections, vmView } from '/page/vmview.js';
import { glyph, tone, tones } from '/page/words.js';

const links = { connecting: ['busy', 'connecting'], live: ['good', 'live'], lost: ['bad', 'stale'], denied: ['warn', 'signed out'] };

let view = null;
let isDenied = false;

/* As it is, where it is malformed: of that name there is no machine. */
function decoded(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/* #/vm/NAME/SECTION */
function place() {
	const [, kind, vm, section] = location.hash.split('/');
	return kind === 'vm' && vm ? { vm: decoded(vm), section } : { vm: '', section: '' };
}

function show() {
	const { vm, section } = place(), main = byId('main');
	const isOther = view && view.vm !== vm, hadFocus = main.contains(document.activeElement);
	view?.end.abort();
	view = { vm, end: new AbortController() };
	document.title = vm ? `${vm} – qvm` : 'qvm';
	if (vm && !isDenied)
		vmView(main, vm, section, view.end.signal);
	else
		vmList(main, view.end.signal);
	if (isOther) {
		main.focus({ preventScroll: true });
		scrollTo(0, 0);
	} else if (hadFocus) {
		main.querySelector('.tabs [aria-current]')?.focus({ preventScroll: true });
	}
}

/* What was shown to one, and what it had open, is not for whoever looks now. */
function showToWhom() {
	store.addEventListener('me', () => store.me || show());
	store.watch(['link'], () => {
		const is = store.link.word === 'denied';
		if (is === isDenied)
			return;
		isDenied = is;
		show();
	});
}

function counts() {
	/* In an order that stays. */
	const by = new Map(Object.keys(tones.observed).map((word) => [word, 0]));
	for (const vm of store.vms.values())
		by.set(vm.observed, (by.get(vm.observed) || 0) + 1);
	byId('counts').replaceChildren(...[...by].filter(([, n]) => n).map(([word, n]) =>
		h('span', { class: 'word', 'data-tone': tone('observed', word) },
			h('span', { 'aria-hidden': 'true', class: 'glyph' }, glyph('observed', word)), ` ${n} ${word}`)));
}

function top() {
	store.watch(['vms'], counts);
	store.watch(['host'], () => setText(byId('hostname'), store.host?.facts.hostname || ''));
	byId('hostname').addEventListener('click', () => store.host && open({
		name: store.host.facts.hostname, body: [facts([['State', store.host.state], ['Why', store.host.why], ...Object.entries(store.host.facts)])],
	}));
	store.watch(['link'], () => {
		const [mark, text] = links[store.link.word];
		byId('link').dataset.tone = mark;
		setText(byId('link'), text);
	});
}

top();
showBanners();
showAccount();
feed(byId('events'), undefined);
listenToKeys({
	home: () => {
		location.hash = '#/';
	},
	section: (i) => {
		if (place().vm)
			location.hash = `#/vm/${place().vm}/${sections[i].id}`;
	},
});
window.addEventListener('hashchange', show);
/* A page that is kept to be gone back to holds no connection either. */
window.addEventListener('pagehide', () => {
	view?.end.abort();
	disconnect();
});
window.addEventListener('pageshow', (e) => {
	if (!e.persisted)
		return;
	show();
	connect();
});
document.querySelector('.skip').addEventListener('click', (e) => {
	e.preventDefault();
	byId('main').focus();
});
show();
showToWhom();
connect();
