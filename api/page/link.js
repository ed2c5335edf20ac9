// SPDX-License-Identifier: Apache-2.0
// link.js - keeps the store true: a stream of events, a look every two seconds, and plain words when both
// do not come. What is shown while the link is lost is old, and the page says since when.

import { get, getAnyway, ask, problemText, stream, Problem } from '/page/api.js';
import { store } from '/page/store.js';
import { Lines } from '/page/lines.js';
import { now } from '/page/time.js';
import { pause } from '/page/wait.js';

const LOOK_MS = 2000, LOOK_TIMEOUT_MS = 5000;
const LEAVE_MS = 20000; // after the tab was hidden
const LIST_MS = 10000, LIST_SOON_MS = 50;
const LIST_SHARE = 4; // a list that takes long is not asked for all the time
const BACKOFF_MS = 500, BACKOFF_MOST_MS = 10000;
const HISTORY = 100; // events that a page begins with
const MISSED_MOST = 300; // more are left out after an absence, and it is said

let life = null; // ends all that belongs to the present link
let next = 0; // sequence number; 0 = none has been seen
let listTag = '';
let failures = 0;
let retry = 0, leaving = 0; // timers

/* Exits of each VM by reason, out of Prometheus' text. */
export function readCounts(text) {
	const counts = new Map();
	for (const [, vm, reason, n] of text.matchAll(/^qvm_vm_exits_total\{vm="([^"]*)",reason="([^"]*)"\} (\d+)$/gm)) {
		if (!counts.has(vm))
			counts.set(vm, {});
		counts.get(vm)[reason] = Number(n);
	}
	return counts;
}

async function readMetrics(signal) {
	const answer = await ask('GET', '/metrics', { signal, timeout: LOOK_TIMEOUT_MS });
	const at = performance.now();
	const text = await answer.text();
	const newest = /^qvm_event_seq (\d+)$/m.exec(text);
	store.addCounts(readCounts(text), at);
	return newest ? Number(newest[1]) : 0;
}

/* Where one answer holds all machines, it is sent only when something has changed. */
async function readVms(signal) {
	const headers = listTag ? { 'If-None-Match': listTag } : {};
	const answer = await ask('GET', '/v1/vms', { signal, headers });
	if (answer.status === 304)
		return;
	let list = await answer.json();
	const all = list.vms;
	listTag = list.next ? '' : answer.headers.get('ETag');
	while (list.next) {
		list = await get(`/v1/vms?after=${encodeURIComponent(list.next)}`, { signal });
		all.push(...list.vms);
	}
	store.setVms(all);
}

/* What becomes an operation and needs no more than a name, as the document tells: a new verb is there by itself. */
function readVerbs(document) {
	const verbs = [];
	for (const [path, methods] of Object.entries(document.paths)) {
		for (const [method, operation] of Object.entries(methods))
			store.roles.set(`${method.toUpperCase()} ${path}`, operation['x-role']);
		const match = /^\/v1\/vms\/\{vm\}\/([a-z-]+)$/.exec(path);
		const asks = (p) => p.name === 'wait';
		if (match && methods.post && !methods.post.requestBody && methods.post.parameters.some(asks))
			verbs.push({ verb: match[1], summary: methods.post.summary });
	}
	store.set('verbs', verbs);
}

async function look(signal) {
	const [health] = await Promise.all([
		getAnyway('/healthz', { signal, timeout: LOOK_TIMEOUT_MS }), readMetrics(signal)]);
	store.set('health', health);
	if (store.link.word === 'live')
		store.setLink({ freshAt: Date.now() });
}

async function keepLooking(signal) {
	for (let listed = performance.now(); ;) {
		await pause(LOOK_MS, signal);
		await look(signal);
		if (performance.now() - listed < LIST_MS)
			continue;
		listSoon(signal);
		listed = performance.now();
	}
}

/* One list at a time, so that no answer is overtaken by an older one; what comes meanwhile leads to another. */
const lister = { isWanted: false, signal: null };

async function listWhileWanted(signal) {
	try {
		for (let wait = LIST_SOON_MS; lister.isWanted;) {
			await pause(wait, signal);
			lister.isWanted = false;
			const began = performance.now();
			await readVms(signal);
			wait = Math.max(LIST_SOON_MS, (performance.now() - began) * LIST_SHARE);
		}
	} finally {
		if (lister.signal === signal)
			lister.signal = null;
	}
}

/* An event is followed by a look at the machines; several that come together by one. */
function listSoon(signal) {
	lister.isWanted = true;
	if (lister.signal === signal)
		return;
	lister.signal = signal;
	listWhileWanted(signal).catch((e) => lost(e, signal));
}

function onRecord(record, signal) {
	/* The first record, not what happened: a standby's event `ready` has a time. */
	if (record.kind === 'ready' && !record.at) {
		failures = 0;
		next = Math.max(next, record.seq + 1);
		store.setLink({ word: 'live', freshAt: Date.now(), why: '' });
		return;
	}
	if (record.seq < next)
		return;
	next = record.seq + 1;
	store.addEvent(record);
	listSoon(signal);
}

async function follow(signal) {
	const lines = new Lines((line) => onRecord(JSON.parse(line), signal));
	await stream(`/v1/events?follow=1&${next ? `since=${next}` : `tail=${HISTORY}`}`, () => { }, (chunk) => lines.take(chunk), signal);
	throw new Problem(0, { detail: 'The host has ended the stream of events.' });
}

/* Where the stream goes on, after newest has happened. */
function resume(newest) {
	/* The numbers of a host that was set up anew begin again. */
	if (newest + 1 < next) {
		next = 0;
		store.set('events', []);
	}
	if (!next || newest - next < MISSED_MOST)
		return;
	const from = next;
	next = newest - HISTORY + 1;
	store.addEvent({ seq: from, at: new Date(now()).toISOString(), kind: 'left-out', vm: '',
		text: `${from} to ${next - 1} are not shown: qvmadm events --since ${from}` });
}

async function open(signal) {
	resume(await readMetrics(signal));
	const [me, host, health] = await Promise.all([
		get('/v1/whoami', { signal }), get('/v1/host', { signal }), getAnyway('/healthz', { signal }), readVms(signal)]);
	store.set('me', me);
	store.set('host', host);
	store.set('health', health);
	if (!store.verbs.length)
		readVerbs(await get('/v1/openapi.json', { signal }));
	await Promise.race([follow(signal), keepLooking(signal)]);
}

/* How long to wait is no hint for a reader: the page waits. */
function whyLost(e) {
	if (!(e instanceof Problem))
		return `The connection broke off (${e.message || e}).`;
	return e.status === 429 ? `${e.message}.` : problemText(e);
}

function lost(e, signal) {
	if (signal !== life?.signal || signal.aborted)
		return;
	life.abort();
	if (e instanceof Problem && e.status === 401) {
		forget();
		store.setLink({ word: 'denied', why: e.message });
		return;
	}
	const wait = Math.max((e.againAfter || 0) * 1000,
		Math.min(BACKOFF_MS * 2 ** failures++, BACKOFF_MOST_MS) * (0.8 + Math.random() * 0.4));
	store.setLink({ word: 'lost', isTooOften: e.status === 429, why: whyLost(e), retryAt: Date.now() + wait });
	retry = setTimeout(connect, wait);
}

/* Now, whatever was. */
export function connect() {
	clearTimeout(retry);
	life?.abort();
	life = new AbortController();
	const { signal } = life;
	open(signal).catch((e) => lost(e, signal));
}

/* What was shown is not for whoever looks now. */
function forget() {
	next = 0;
	failures = 0;
	listTag = '';
	store.set('me', null);
	store.setVms([]);
	store.set('events', []);
}

/* After a sign-in or sign-out. */
export function reconnectAs() {
	forget();
	store.setLink({ word: 'connecting', freshAt: 0 });
	connect();
}

/* A browser has six connections to a host for all its tabs: one that nobody looks at holds none. */
export function disconnect() {
	clearTimeout(retry);
	life?.abort();
	if (store.link.word !== 'denied')
		store.setLink({ word: 'connecting' });
}

document.addEventListener('visibilitychange', () => {
	clearTimeout(leaving);
	if (document.hidden)
		leaving = setTimeout(disconnect, LEAVE_MS);
	else if (store.link.word === 'lost' || (store.link.word === 'connecting' && (!life || life.signal.aborted)))
		connect();
});
window.addEventListener('online', () => store.link.word === 'lost' && connect());
