// SPDX-License-Identifier: Apache-2.0
// words.js - how the words of the API look and what is near at hand for them. Which words there are is told
// by /v1/openapi.json; one that is not here is shown plainly. tests/page holds both lists together.

export const tones = {
	observed: { stopped: 'calm', starting: 'busy', running: 'good', paused: 'warn', stopping: 'busy', safe: 'bad',
		preparing: 'busy', ready: 'calm' },
	health: { unknown: 'calm', healthy: 'good', suspect: 'warn', failed: 'bad' },
};

/* Each may what those before it may. */
export const roles = ['anyone', 'reader', 'operator', 'admin'];

/* Verbs beside a machine; the others are in its menu. The host has the last word on each. */
export const near = {
	stopped: ['start'],
	starting: ['stop'],
	running: ['stop', 'pause'],
	paused: ['resume', 'stop'],
	stopping: ['kill'],
	safe: ['release', 'start'],
	preparing: ['kill'],
	ready: ['kill'],
};

/* Verbs that can cost a guest its work: their dialog begins at Cancel. */
export const harsh = ['kill', 'nmi', 'takeover', 'give-back'];

/* Verbs about a pair. */
export const ofPairs = ['takeover', 'give-back'];

const glyphs = { good: '●', busy: '◐', warn: '▲', bad: '■', calm: '○' };

export function tone(of, word) {
	return tones[of][word] || 'calm';
}

export function glyph(of, word) {
	return glyphs[tone(of, word)];
}

const titles = { nmi: 'NMI' };

export function title(verb) {
	return titles[verb] || verb.charAt(0).toUpperCase() + verb.slice(1).replaceAll('-', ' ');
}
