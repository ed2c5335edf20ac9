// SPDX-License-Identifier: Apache-2.0
// plain.js - a console without a terminal: text that can be read out and copied, and a line to type at it.

import { h } from '/page/dom.js';

const MOST = 200000; // characters that are kept
const ENTER = '\r';

/* Sequences for a terminal, and bytes that mean nothing to a reader. */
// eslint-disable-next-line no-control-regex
const SEQUENCES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;
/* The beginning of one, or of an end of line, at the end of what has come so far. */
// eslint-disable-next-line no-control-regex
const UNFINISHED = /(?:\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)|\r)$/;
const UNFINISHED_MOST = 4096; // a longer one is none

export function plainScreen(vm, type) {
	const text = document.createTextNode('');
	const pre = h('pre', { class: 'plain', tabindex: '0', role: 'log', 'aria-label': `Console of ${vm}` }, text);
	const input = h('input', { type: 'text', 'aria-label': `Type at ${vm}`, placeholder: 'Type a line, Enter sends it',
		autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', enterkeyhint: 'send' });
	const form = h('form', { class: 'type', onsubmit: (e) => {
		e.preventDefault();
		if (type(input.value + ENTER))
			input.value = '';
	} }, input, h('button', { type: 'submit' }, 'Send'));
	const decoder = new TextDecoder();
	let tail = '';

	return {
		kind: 'plain',
		element: h('div', { class: 'screen' }, pre, form),
		focus: () => input.focus(),
		write(bytes) {
			const isAtEnd = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 8;
			let more = tail + decoder.decode(bytes, { stream: true });
			const cut = more.search(UNFINISHED);
			tail = cut >= 0 && more.length - cut <= UNFINISHED_MOST ? more.slice(cut) : '';
			more = more.slice(0, more.length - tail.length).replace(/\r\n?/g, '\n').replace(SEQUENCES, '');
			text.appendData(more);
			if (text.length > MOST)
				text.deleteData(0, text.length - MOST);
			if (isAtEnd)
				pre.scrollTop = pre.scrollHeight;
		},
	};
}
