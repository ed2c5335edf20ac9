// SPDX-License-Identifier: Apache-2.0
// account.js - who looks: the token that was typed in, or nobody but the connection itself; and what it may.

import { get, setToken, token, Problem } from '/page/api.js';
import { byId, facts, h, setText } from '/page/dom.js';
import { isOpen, open } from '/page/dialog.js';
import { reconnectAs } from '/page/link.js';
import { callerText, verbOperation, whyNot } from '/page/right.js';
import { store } from '/page/store.js';
import { day } from '/page/time.js';
import { title } from '/page/words.js';

const proofs = { bearer: 'a token', certificate: 'a client certificate', uid: 'the user of this host that has made the connection' };

function showMe() {
	const { me } = store, may = store.verbs.filter((v) => !whyNot(verbOperation(v.verb)));
	const names = (verbs) => verbs.map((v) => title(v.verb)).join(', ');
	open({
		name: callerText(me),
		body: [facts([
			['Role', me.role],
			['Known by', proofs[me.kind] || me.kind],
			['For', me.vms ? `machines that match ${me.vms}` : 'all machines, and the host'],
			['Until', me.expires ? day(me.expires) : ''],
			['May', may.length ? names(may) : 'look on'],
			['May not', names(store.verbs.filter((v) => !may.includes(v)))],
		])],
	});
}

/* why: it is asked for, when a token has let in until now. */
async function signIn(why) {
	const field = h('input', {
		type: 'password', id: 'token', name: 'token', autocomplete: 'off', spellcheck: 'false', required: true,
		'aria-describedby': 'token-hint',
	});
	const done = await open({
		name: 'Sign in',
		body: [why && h('p', { class: 'why' }, `You were signed out: ${why}.`), h('label', { for: 'token' }, 'Token'), field,
			h('p', { id: 'token-hint', class: 'hint' }, 'An administrator makes one with ',
				h('code', {}, 'qvmadm token create NAME --role reader'),
				'. It is kept until this tab is closed.')],
		first: field,
		yes: 'Sign in',
		perform: () => tryToken(field.value.trim()),
	});
	if (done)
		reconnectAs();
}

async function tryToken(secret) {
	const before = token();
	setToken(secret);
	try {
		await get('/v1/vms?limit=1');
	} catch (e) {
		setToken(before);
		if (e instanceof Problem && e.status === 401)
			e.hint = '';
		throw e;
	}
}

function signOut() {
	setToken('');
	reconnectAs();
}

export function showAccount() {
	const button = byId('account'), who = byId('who');
	who.addEventListener('click', showMe);
	store.watch(['me'], () => {
		who.hidden = !store.me;
		who.replaceChildren(...(store.me ? [h('span', { class: 'name' }, callerText(store.me)), h('span', {}, `· ${store.me.role}`)] : []));
	});
	button.addEventListener('click', () => (token() ? signOut() : signIn()));
	store.watch(['link'], () => {
		setText(button, token() ? 'Sign out' : 'Sign in');
		if (store.link.word !== 'denied')
			return;
		const why = token() ? store.link.why : '';
		setToken('');
		setText(button, 'Sign in');
		if (!isOpen())
			signIn(why);
	});
}
