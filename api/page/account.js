// SPDX-License-Identifier: Apache-2.0
// account.js - who looks: the token that was typed in, or nobody but the connection itself.

import { get, setToken, token, Problem } from '/page/api.js';
import { byId, h, setText } from '/page/dom.js';
import { isOpen, open } from '/page/dialog.js';
import { reconnectAs } from '/page/link.js';
import { store } from '/page/store.js';

async function signIn() {
	const field = h('input', {
		type: 'password', id: 'token', name: 'token', autocomplete: 'off', spellcheck: 'false', required: true,
		'aria-describedby': 'token-hint',
	});
	const done = await open({
		name: 'Sign in',
		body: [h('label', { for: 'token' }, 'Token'), field,
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
	const button = byId('account');
	button.addEventListener('click', () => (token() ? signOut() : signIn()));
	store.watch(['link'], () => {
		setText(button, token() ? 'Sign out' : 'Sign in');
		if (store.link.word !== 'denied')
			return;
		setToken('');
		setText(button, 'Sign in');
		if (!isOpen())
			signIn();
	});
}
