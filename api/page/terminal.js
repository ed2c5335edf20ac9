// SPDX-License-Identifier: Apache-2.0
// terminal.js - a console on xterm.js, where the program was built with it. It draws on a canvas, which needs
// neither styles nor markup in the document; so who needs text takes the plain console.

import { h } from '/page/dom.js';

const FONT = 13, ROWS = 24, LEAST = 20, MOST = 132;
const FAMILY = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace';

let loading = null;

function loadStyle() {
	return new Promise((done) => {
		document.head.append(h('link', { rel: 'stylesheet', href: '/page/xterm.css', onload: done, onerror: done }));
	});
}

function load() {
	loading = loading || Promise.all([import('/page/xterm.js'), loadStyle()])
		.then(([module]) => module.Terminal)
		.catch(() => null);
	return loading;
}

function columnsIn(width) {
	const context = document.createElement('canvas').getContext('2d');
	context.font = `${FONT}px ${FAMILY}`;
	return Math.max(LEAST, Math.min(MOST, Math.floor((width - 24) / Math.ceil(context.measureText('W').width))));
}

/* null: there is no terminal in this program, or the browser cannot. */
export async function terminalScreen(type, signal) {
	const Terminal = await load();
	if (!Terminal || signal.aborted)
		return null;
	const terminal = new Terminal({
		rows: ROWS, cols: 80, convertEol: true, scrollback: 5000, fontSize: FONT, fontFamily: FAMILY,
		rendererType: 'canvas', cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
		theme: { background: '#14161a', foreground: '#e8e6e1', cursor: '#7db7e8' },
	});
	const element = h('div', { class: 'screen terminal' });
	const fit = () => element.clientWidth && terminal.resize(columnsIn(element.clientWidth), ROWS);
	const watch = new ResizeObserver(fit);
	const decoder = new TextDecoder();

	terminal.on('data', type);
	return {
		kind: 'terminal',
		element,
		opened() {
			terminal.open(element);
			/* Tab is the guest's; with Shift the keyboard leaves, and not to the frame that gives it back. */
			terminal.element.tabIndex = -1;
			terminal.textarea.setAttribute('aria-label', 'Type at the guest; Shift and Tab leave');
			terminal.attachCustomKeyEventHandler((e) => !(e.key === 'Tab' && e.shiftKey));
			watch.observe(element);
			fit();
		},
		focus: () => terminal.focus(),
		write(bytes) {
			terminal.write(decoder.decode(bytes, { stream: true }));
		},
		close() {
			watch.disconnect();
			terminal.destroy();
		},
	};
}
