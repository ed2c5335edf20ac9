// SPDX-License-Identifier: Apache-2.0
// api.js - requests to /v1. A token is sent as a header, never in an address; it lives as long as the tab.

import { heard } from '/page/time.js';

const PLACE = 'qvm-token';
const TIMEOUT_MS = 10000;
const AGAIN_MS = 700;

/* What a request was refused with (RFC 9457), or that nobody answered: status 0. */
export class Problem extends Error {
	constructor(status, told) {
		super(told.detail || `HTTP status ${status}`);
		this.status = status;
		this.hint = told.hint || '';
		this.request = told.request || '';
		this.againAfter = 0;
	}
}

/* What an error says, as sentences. */
export function problemText(e) {
	if (!(e instanceof Problem))
		return String(e.message || e);
	return `${e.message}. ${e.hint ? `${e.hint.charAt(0).toUpperCase()}${e.hint.slice(1)}.` : ''}`.replace('..', '.');
}

export function vmPath(vm) {
	return `/v1/vms/${encodeURIComponent(vm)}`;
}

export function token() {
	return sessionStorage.getItem(PLACE);
}

export function setToken(secret) {
	if (secret)
		sessionStorage.setItem(PLACE, secret);
	else
		sessionStorage.removeItem(PLACE);
}

/* By it the host knows a request that is sent again; a form of another site cannot set it. */
function requestId() {
	const random = crypto.getRandomValues(new Uint8Array(8));
	random[0] |= 1;
	return Array.from(random, (b) => b.toString(16).padStart(2, '0')).join('');
}

async function send(path, options, timeout) {
	const signals = [options.signal, timeout && AbortSignal.timeout(timeout)].filter(Boolean);
	let answer;
	try {
		answer = await fetch(path, { ...options, signal: signals.length ? AbortSignal.any(signals) : undefined });
	} catch (e) {
		if (options.signal && options.signal.aborted)
			throw e;
		throw new Problem(0, { detail: 'The host does not answer.' });
	}
	heard(answer.headers.get('Date'));
	if (answer.ok || answer.status === 304)
		return answer;
	const told = await answer.json().catch(() => ({}));
	const problem = new Problem(answer.status, told);
	problem.told = told;
	problem.againAfter = Number(answer.headers.get('Retry-After')) || 0; // seconds
	throw problem;
}

function options(method, more) {
	const headers = { ...more.headers };
	if (token())
		headers.Authorization = `Bearer ${token()}`;
	if (method !== 'GET')
		headers['Request-Id'] = requestId();
	return { method, headers, body: more.body, signal: more.signal, cache: 'no-store', credentials: 'same-origin' };
}

/* The answer of a request. A lost connection in its midst: once more, with the same id, so that it is done once. */
export async function ask(method, path, more = {}) {
	const how = options(method, more);
	const timeout = more.timeout === undefined ? TIMEOUT_MS : more.timeout;
	try {
		return await send(path, how, timeout);
	} catch (e) {
		if (method === 'GET' || !(e instanceof Problem) || e.status !== 0)
			throw e;
	}
	await new Promise((done) => setTimeout(done, AGAIN_MS));
	return send(path, how, timeout);
}

export async function get(path, more) {
	return (await ask('GET', path, more)).json();
}

/* One that is not a success but an answer all the same, as of /healthz. */
export async function getAnyway(path, more) {
	try {
		return await get(path, more);
	} catch (e) {
		if (e instanceof Problem && e.status === 503 && e.told && e.told.status)
			return e.told;
		throw e;
	}
}

/* Call take(chunk of bytes) until the stream ends. No timeout: it may be silent for hours. */
export async function stream(path, begin, take, signal) {
	const answer = await ask('GET', path, { signal, timeout: 0 });
	const reader = answer.body.getReader();
	begin(answer);
	for (;;) {
		const { done, value } = await reader.read();
		if (done)
			return;
		take(value);
	}
}
