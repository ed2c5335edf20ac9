// SPDX-License-Identifier: Apache-2.0
// attach.js - a machine's console as a WebSocket: bytes both ways, who types, and where the next byte is, so
// that a lost connection is gone on with and nothing is shown twice. A browser tells a page neither why a
// WebSocket was refused nor that the network is silent: the first is asked for, the second told by drop().

import { ask, token, vmPath, Problem } from '/page/api.js';
import { pause } from '/page/wait.js';

const TAIL = 1000;
const PROTOCOL = 'qvm.console.v1', TOKEN = 'qvm.token.';
const BACKOFF_MS = 500, BACKOFF_MOST_MS = 8000;
const MESSAGE = 4096; // bytes, of api/http/frame.h
const PASTE = 1 << 20; // bytes that wait in the browser for a guest which does not read
const DELETED = 1000;

/*
 * teller: where({isAnew, lost}), bytes(chunk), writer(told), held(isHeld), refused(Problem), and
 * state(word, problem, ms): live, deleted, or lost and tried again after ms.
 */
export class Attached {
	#path;
	#teller;
	#socket = null;
	#place = null; // {generation, position}: of the next byte

	constructor(vm, teller, signal) {
		this.#path = `${vmPath(vm)}/console`;
		this.#teller = teller;
		signal.addEventListener('abort', () => this.drop());
		this.#keepOpen(signal);
	}

	isOpen() {
		return this.#socket?.readyState === WebSocket.OPEN;
	}

	/* False: nobody takes it now. */
	type(text) {
		const bytes = new TextEncoder().encode(text);
		if (!this.isOpen() || this.#socket.bufferedAmount + bytes.length > PASTE)
			return false;
		for (let at = 0; at < bytes.length; at += MESSAGE)
			this.#socket.send(bytes.subarray(at, at + MESSAGE));
		return true;
	}

	/* Whoever has the keyboard has it no more. */
	take() {
		if (this.isOpen())
			this.#socket.send(JSON.stringify({ type: 'write', force: true }));
	}

	/* What is there of a connection is over, whatever the network thinks. */
	drop() {
		this.#socket?.close();
		this.#socket?.dispatchEvent(new CloseEvent('close', { code: 1006 }));
	}

	async #keepOpen(signal) {
		for (let failures = 0; !signal.aborted; failures++) {
			const end = await this.#once();
			if (signal.aborted)
				return;
			if (end.wasOpen)
				failures = 0;
			if (end.code === DELETED) {
				this.#teller.state('deleted');
				return;
			}
			const problem = end.wasOpen ? null : await this.#whyNot(signal);
			const wait = Math.min(BACKOFF_MS * 2 ** failures, BACKOFF_MOST_MS);
			if (signal.aborted)
				return;
			this.#teller.state('lost', problem, wait);
			await pause(wait, signal).catch(() => { });
		}
	}

	/* One connection, from its beginning to its end. */
	#once() {
		const at = this.#place;
		const query = at ? `since=${at.position}&generation=${at.generation}` : `tail=${TAIL}`;
		const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}${this.#path}/ws?${query}`,
			token() ? [PROTOCOL, TOKEN + token()] : [PROTOCOL]);
		let wasOpen = false;
		socket.binaryType = 'arraybuffer';
		this.#socket = socket;
		return new Promise((resolve) => {
			socket.addEventListener('open', () => {
				wasOpen = true;
				this.#teller.state('live');
			});
			socket.addEventListener('message', (e) => this.#socket === socket && this.#take(e.data));
			socket.addEventListener('close', (e) => {
				if (this.#socket === socket)
					this.#socket = null;
				resolve({ wasOpen, code: e.code });
			});
		});
	}

	#take(data) {
		if (typeof data !== 'string') {
			const chunk = new Uint8Array(data);
			this.#place.position += chunk.length;
			this.#teller.bytes(chunk);
			return;
		}
		const told = JSON.parse(data);
		if (told.type === 'at') {
			const isAnew = Boolean(this.#place?.generation) && told.generation !== this.#place.generation;
			this.#place = { generation: told.generation, position: told.position };
			this.#teller.where({ isAnew, lost: told.lost });
		} else if (told.type === 'writer') {
			this.#teller.writer(told);
		} else if (told.type === 'held') {
			this.#teller.held(told.held);
		} else if (told.type === 'refused') {
			this.#teller.refused(new Problem(told.problem.status, told.problem));
		}
	}

	/* What a request of the same console says; null = it would be answered, so it was the network. */
	async #whyNot(signal) {
		try {
			await ask('GET', `${this.#path}?tail=0`, { signal });
		} catch (e) {
			return e instanceof Problem && e.status ? e : null;
		}
		return null;
	}
}
