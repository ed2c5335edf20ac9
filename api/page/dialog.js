// SPDX-License-Identifier: Apache-2.0
// dialog.js - questions in a <dialog>: the browser keeps the focus in it and gives it back, Escape is no.

import { problemText } from '/page/api.js';
import { h } from '/page/dom.js';

const SLOW_MS = 1500;

let count = 0;

/*
 * question: name, body (nodes), yes (the button's text; none = only a Close), isHarsh, perform() and, of
 * a form, first (the element to begin at). Resolves to whether perform() was done. What it throws is shown
 * and can be tried again.
 */
export function open(question) {
	const id = `dialog-${++count}`;
	const said = h('p', { class: 'said', role: 'alert' }), waiting = h('p', { class: 'hint', role: 'status' });
	const no = h('button', { type: 'button', class: 'quiet', value: 'no' }, question.yes ? 'Cancel' : 'Close');
	const yes = question.yes && h('button', { type: 'submit', class: question.isHarsh ? 'harsh' : 'yes' }, question.yes);
	const form = h('form', {}, h('h2', { id }, question.name), question.body, said, waiting, h('div', { class: 'buttons' }, no, yes));
	const dialog = h('dialog', { 'aria-labelledby': id }, form);

	const before = document.activeElement, home = before.closest('.vm, .vm-head');

	return new Promise((resolve) => {
		let done = false;
		no.addEventListener('click', () => dialog.close());
		dialog.addEventListener('close', () => {
			dialog.remove();
			/* A verb that was done is no more among those near at hand: the focus stays at its machine. */
			if (!before.isConnected)
				home?.querySelector('.name, .verbs button')?.focus();
			resolve(done);
		});
		form.addEventListener('submit', async (e) => {
			e.preventDefault();
			if (!yes || yes.disabled)
				return;
			yes.disabled = true;
			dialog.setAttribute('aria-busy', 'true');
			said.textContent = '';
			const slow = setTimeout(() => {
				waiting.textContent = 'Asked; there is no answer yet. To close this does not take it back.';
				no.textContent = 'Close';
			}, SLOW_MS);
			try {
				await question.perform();
				done = true;
				dialog.close();
			} catch (problem) {
				said.textContent = problemText(problem);
			}
			clearTimeout(slow);
			waiting.textContent = '';
			no.textContent = 'Cancel';
			yes.disabled = false;
			dialog.removeAttribute('aria-busy');
		});
		document.body.append(dialog);
		dialog.showModal();
		(question.first || (question.isHarsh || !yes ? no : yes)).focus();
	});
}

export function isOpen() {
	return document.querySelector('dialog[open]') !== null;
}
