// SPDX-License-Identifier: Apache-2.0
// right.js - what whoever looks may ask for, as /v1/whoami and the document's roles tell. The host has the
// last word; this only saves a question whose answer is known.

import { store } from '/page/store.js';
import { roles } from '/page/words.js';

export const TYPE = 'POST /v1/vms/{vm}/console', RELEASE_HOST = 'POST /v1/host/release';

export function verbOperation(verb) {
	return `POST /v1/vms/{vm}/${verb}`;
}

const kinds = { bearer: 'token', certificate: 'certificate', uid: 'uid' };

export function callerText(me) {
	return `${kinds[me.kind] || me.kind} ${me.name || me.uid}`;
}

/* As a sentence; '' = it would be done, or that is not known yet. */
export function whyNot(operation) {
	const { me } = store, role = store.roles.get(operation);
	if (!me || !role)
		return '';
	if (roles.indexOf(me.role) < roles.indexOf(role))
		return `This takes the role ${role}; ${callerText(me)} has the role ${me.role}.`;
	if (me.vms && !operation.includes('{vm}'))
		return `This is about the host; ${callerText(me)} is for machines that match ${me.vms} alone.`;
	return '';
}

/* It keeps its place and its focus, and says why it does nothing. */
export function settle(button, operation, summary) {
	const why = whyNot(operation);
	button.setAttribute('aria-disabled', String(store.link.word !== 'live' || why !== ''));
	button.title = why || summary;
}
