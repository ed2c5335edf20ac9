// SPDX-License-Identifier: Apache-2.0
// action.js - asking the host to do something: a question that names the machine, the request, the answer.

import { ask, problemText, vmPath, Problem } from '/page/api.js';
import { h, byId } from '/page/dom.js';
import { open } from '/page/dialog.js';
import { RELEASE_HOST, settle, verbOperation, whyNot } from '/page/right.js';
import { store } from '/page/store.js';
import { glyph, harsh, near, ofPairs, title, tone } from '/page/words.js';

const WAIT = '30s', WAIT_MS = 40000;

/* What a refused request says, in a place of its own that is read out; the place. */
export function sayProblem(what, e) {
	const note = h('div', { class: 'note', 'data-tone': 'bad', role: 'alert' },
		h('p', {}, h('strong', {}, what), ' ', problemText(e),
			e.request ? h('span', { class: 'request' }, ` Request ${e.request}.`) : null),
		h('button', { type: 'button', class: 'quiet', 'aria-label': 'Close this note', onclick: () => note.remove() }, '×'));
	byId('banners').append(note);
	return note;
}

async function perform(vm, verb) {
	const answer = await ask('POST', `${vmPath(vm)}/${verb}?wait=${WAIT}`, { timeout: WAIT_MS });
	const operation = await answer.json();
	if (operation.error)
		throw new Problem(operation.error.status, operation.error);
}

/* A button that is off says why to who cannot point at it, too. */
function sayWhyNot(name, why) {
	return open({ name, body: [h('p', {}, why), h('p', { class: 'hint' }, 'An administrator gives roles to tokens, certificates and groups.')] });
}

/* The verb is asked for once the question is answered with yes. */
export async function confirmVerb(name, verb) {
	/* Of a machine whose state is not known nothing is asked. */
	if (store.link.word !== 'live')
		return;
	const why = whyNot(verbOperation(verb));
	if (why) {
		await sayWhyNot(`${title(verb)} ${name}`, why);
		return;
	}
	const vm = store.vms.get(name);
	const known = store.verbs.find((v) => v.verb === verb);
	const state = vm && h('p', { class: 'now' }, 'Now ',
		h('span', { class: 'word', 'data-tone': tone('observed', vm.observed) }, glyph('observed', vm.observed), ' ', vm.observed));
	await open({
		name: `${title(verb)} ${name}?`,
		body: [known ? h('p', {}, `${known.summary}.`) : null, state],
		yes: title(verb),
		isHarsh: harsh.includes(verb),
		perform: () => perform(name, verb),
	});
}

export async function confirmHostRelease() {
	const why = whyNot(RELEASE_HOST);
	if (why) {
		await sayWhyNot('Release the host', why);
		return;
	}
	await open({
		name: `Release the host ${store.host?.facts.hostname || ''}?`,
		body: [h('p', {}, 'Machines may be started again. The host looks first whether what gave way holds again: '),
			h('p', {}, store.health?.host || '')],
		yes: 'Release host',
		isHarsh: true,
		perform: () => ask('POST', '/v1/host/release'),
	});
}

function offered(vm) {
	return (near[vm.observed] || []).filter((verb) => store.verbs.some((v) => v.verb === verb));
}

function settleVerb(button) {
	const { verb } = button.dataset;
	settle(button, verbOperation(verb), store.verbs.find((v) => v.verb === verb)?.summary || '');
	return button;
}

/* After a change of the link or of who looks. */
export function settleVerbs() {
	document.querySelectorAll('.verbs button').forEach(settleVerb);
}

export function nearButtons(vm) {
	return offered(vm).map((verb) => settleVerb(h('button', {
		type: 'button', class: 'verb', 'data-verb': verb, 'data-vm': vm.name,
		'aria-label': `${title(verb)} ${vm.name}`, onclick: () => confirmVerb(vm.name, verb),
	}, title(verb))));
}

/* All that is not near at hand, as a menu that opens in place. */
export function moreMenu(vm) {
	const rest = store.verbs.filter((v) => !offered(vm).includes(v.verb) && (vm.partner || !ofPairs.includes(v.verb)));
	const menu = h('details', { class: 'more' },
		h('summary', { 'aria-label': `More for ${vm.name}` }, 'More'),
		h('ul', {}, rest.map((v) => h('li', {}, settleVerb(h('button', {
			type: 'button', 'data-verb': v.verb, onclick: () => {
				menu.open = false;
				confirmVerb(vm.name, v.verb);
			},
		}, title(v.verb)))))));
	menu.addEventListener('keydown', (e) => {
		if (e.key !== 'Escape' || !menu.open)
			return;
		e.stopPropagation();
		menu.open = false;
		menu.querySelector('summary').focus();
	});
	return menu;
}
