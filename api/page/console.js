// SPDX-License-Identifier: Apache-2.0
// console.js - what the guest prints, as it comes, and what is typed at it. On a terminal where the program
// was built with one, else, or when somebody wants it, as plain text.

import { ask, problemText, stream, vmPath, Problem } from '/page/api.js';
import { sayProblem } from '/page/action.js';
import { h, setText } from '/page/dom.js';
import { store } from '/page/store.js';
import { plainScreen } from '/page/plain.js';
import { terminalScreen } from '/page/terminal.js';
import { pause } from '/page/wait.js';

const TAIL = 1000;
const PIECE = /^[^]{1,256}(?<![\ud800-\udbff])/; // of what is typed: within the limit of a request, no character cut
const BACKOFF_MS = 500, BACKOFF_MOST_MS = 8000;
const PLACE = 'qvm-console';

/* What is typed goes in order: while a request is on its way the rest waits, and goes with the next one. */
class Keyboard {
	#waiting = '';
	#isSending = false;
	#path;
	#signal;

	constructor(path, signal) {
		this.#path = path;
		this.#signal = signal;
	}

	async type(text) {
		this.#waiting += text;
		if (this.#isSending)
			return;
		this.#isSending = true;
		try {
			while (this.#waiting && !this.#signal.aborted) {
				const body = PIECE.exec(this.#waiting)?.[0] || this.#waiting;
				this.#waiting = this.#waiting.slice(body.length);
				await ask('POST', this.#path, { body, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, signal: this.#signal });
			}
		} catch (e) {
			this.#waiting = '';
			if (!this.#signal.aborted)
				sayProblem('What you typed was not taken.', e);
		}
		this.#isSending = false;
	}
}

/* Begins anew whenever the stream is lost: what was missed is in the guest's last lines. */
async function follow(path, screen, say, signal) {
	for (let failures = 0; !signal.aborted; failures++) {
		try {
			const answer = await ask('GET', `${path}?tail=${TAIL}`, { signal });
			const position = answer.headers.get('Console-Position') || 0;
			screen.clear();
			screen.write(new Uint8Array(await answer.arrayBuffer()));
			await stream(`${path}?follow=1&since=${position}`, () => {
				failures = 0;
				say('good', 'live');
			}, (chunk) => screen.write(chunk), signal);
			say('warn', 'The stream has ended; trying again …');
		} catch (e) {
			if (signal.aborted)
				return;
			say('warn', e instanceof Problem && e.status ? problemText(e) : 'Connection lost; trying again …');
		}
		await pause(Math.min(BACKOFF_MS * 2 ** failures, BACKOFF_MOST_MS), signal).catch(() => { });
	}
}

export async function consoleView(place, vm, signal) {
	const path = `${vmPath(vm)}/console`;
	const keyboard = new Keyboard(path, signal);
	const state = h('span', { class: 'console-state', role: 'status' });
	const say = (tone, text) => {
		state.dataset.tone = tone;
		setText(state, text);
	};
	const wish = localStorage.getItem(PLACE);
	const type = (text) => keyboard.type(text);
	const screen = (wish !== 'plain' && await terminalScreen(type, signal)) || plainScreen(vm, type);
	if (signal.aborted)
		return;
	const other = h('button', {
		type: 'button', class: 'quiet', onclick: () => {
			localStorage.setItem(PLACE, screen.kind === 'plain' ? 'terminal' : 'plain');
			/* The view begins anew with the other screen. */
			window.dispatchEvent(new HashChangeEvent('hashchange'));
		},
	}, screen.kind === 'plain' ? 'Terminal' : 'Plain text');
	place.replaceChildren(h('div', { class: 'toolbar' }, state,
		screen.kind === 'plain' && wish !== 'plain' ? null : other), screen.element);
	screen.opened?.();
	signal.addEventListener('abort', () => screen.close?.());
	store.watch(['vms'], () => {
		const now = store.vms.get(vm);
		screen.element.toggleAttribute('data-idle', Boolean(now) && !now.pid);
	}, signal);
	follow(path, screen, say, signal);
}
