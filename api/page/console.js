// SPDX-License-Identifier: Apache-2.0
// console.js - what the guest prints, as it comes, and what is typed at it. On a terminal where the program
// was built with one, else, or when somebody wants it, as plain text.

import { problemText } from '/page/api.js';
import { sayProblem } from '/page/action.js';
import { Attached } from '/page/attach.js';
import { h, setText } from '/page/dom.js';
import { TYPE, whyNot } from '/page/right.js';
import { store } from '/page/store.js';
import { plainScreen } from '/page/plain.js';
import { terminalScreen } from '/page/terminal.js';

const PLACE = 'qvm-console';
const AWAY = 'Not connected: nothing that is typed would arrive.';
const FULL = 'The guest does not read what is typed; no more can wait for it.';

/* The line above the screen: is it live, who types, what to do about it. */
function statusLine(take) {
	const state = h('span', { class: 'console-state', role: 'status' });
	const writer = h('span', { class: 'console-writer' });
	const button = h('button', { type: 'button', class: 'take', hidden: true, onclick: take }, 'Take the keyboard');
	let isLive = false, other = null, isHeld = false;

	function refresh(tone, text) {
		state.dataset.tone = tone;
		setText(state, text);
		const why = isLive ? whyNot(TYPE) : '';
		setText(writer, isLive && other ? `${other} types; you look on. ${why}` : why && `You look on. ${why}`);
		button.hidden = !isLive || !other || why !== '';
	}
	function live() {
		refresh(isHeld ? 'warn' : 'good', isHeld ? 'The guest does not read what is typed; it waits.' : 'live');
	}
	return {
		parts: [h('span', { class: 'console-line' }, state, writer, button)],
		others: () => (isLive ? other : null),
		refresh: () => isLive && live(),
		live() {
			isLive = true;
			isHeld = false;
			live();
		},
		off(tone, text) {
			isLive = false;
			refresh(tone, text);
		},
		writer(told) {
			other = told.writer !== null && !told.you ? told.writer : null;
			live();
		},
		held(is) {
			isHeld = is;
			live();
		},
	};
}

function lostText(problem, ms) {
	const when = `Trying again in ${Math.max(1, Math.round(ms / 1000))} s …`;
	return `${problem ? problemText(problem) : 'Connection lost.'} ${when}`;
}

/* A line of the page's own between the guest's. */
function aside(screen, text) {
	screen.write(new TextEncoder().encode(`\r\n\x1b[0;2m[${text}]\x1b[0m\r\n`));
}

export async function consoleView(place, vm, signal) {
	let attached = null, note = null;
	const line = statusLine(() => {
		note?.remove();
		attached.take();
		screen.focus();
	});
	const complain = (what, e) => {
		note?.remove();
		note = sayProblem(what, e);
	};
	/* False: it was not taken, and whoever keeps what was typed should keep it. */
	const type = (text) => {
		const why = whyNot(TYPE);
		if (why) {
			complain('What you typed was not taken.', new Error(why));
			return false;
		}
		/* The focus stays: what is typed on must not press a button. */
		if (line.others()) {
			complain('What you typed was not taken.', new Error(`${line.others()} types; first take the keyboard, above the screen.`));
			return false;
		}
		if (attached?.type(text))
			return true;
		complain('What you typed was not taken.', new Error(attached?.isOpen() ? FULL : AWAY));
		return false;
	};
	const wish = localStorage.getItem(PLACE);
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
	place.replaceChildren(h('div', { class: 'toolbar' }, line.parts,
		screen.kind === 'plain' && wish !== 'plain' ? null : other), screen.element);
	screen.opened?.();
	signal.addEventListener('abort', () => screen.close?.());
	store.watch(['vms'], () => {
		const now = store.vms.get(vm);
		screen.element.toggleAttribute('data-idle', Boolean(now) && !now.pid);
	}, signal);
	store.watch(['me', 'verbs'], line.refresh, signal);
	line.off('warn', 'Connecting …');
	attached = new Attached(vm, {
		where({ isAnew, lost }) {
			if (isAnew)
				aside(screen, `${vm} runs anew`);
			if (lost)
				aside(screen, `${lost} bytes came too fast and are left out`);
		},
		bytes: (chunk) => screen.write(chunk),
		writer: line.writer,
		held: line.held,
		refused: (problem) => complain('What you typed was not taken.', problem),
		state(word, problem, ms) {
			if (word === 'live')
				line.live();
			else if (word === 'deleted')
				line.off('bad', 'The machine was deleted.');
			else
				line.off('warn', lostText(problem, ms));
		},
	}, signal);
	/* A network that is silent: what looks every two seconds has noticed. */
	store.watch(['link'], () => store.link.word === 'lost' && attached.drop(), signal);
}
