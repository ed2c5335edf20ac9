// SPDX-License-Identifier: Apache-2.0
// time.js - times and sizes for people. Ages count by the clock of the host, not by the reader's.

let skew = 0;

/* Each answer tells what time it is there (to the second). */
export function heard(date) {
	const at = Date.parse(date);
	if (Number.isFinite(at) && Math.abs(at - Date.now() - skew) > 1500)
		skew = at - Date.now();
}

export function now() {
	return Date.now() + skew;
}

export function span(ms) {
	const s = Math.max(0, Math.floor(ms / 1000));
	if (s < 60)
		return `${s} s`;
	if (s < 3600)
		return `${Math.floor(s / 60)} min`;
	if (s < 86400)
		return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min`;
	return `${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
}

/* Of something short, so that a blink is not nothing. */
export function duration(ms) {
	return ms < 1000 ? `${ms} ms` : ms < 10000 ? `${(ms / 1000).toFixed(1)} s` : span(ms);
}

export function age(time) {
	return time ? span(now() - Date.parse(time)) : '';
}

const clockForm = new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const dayForm = new Intl.DateTimeFormat([], { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });

export function clock(time) {
	return clockForm.format(new Date(time));
}

export function day(time) {
	return time ? dayForm.format(new Date(time)) : '';
}

export function bytes(n) {
	const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
	let i = 0;
	while (n >= 1024 && i < units.length - 1) {
		n /= 1024;
		i++;
	}
	return `${i && n < 10 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

export function count(n) {
	return Number(n).toLocaleString('en').replaceAll(',', '\u202f');
}

/* A rate in a few figures: 0.4, 12, 3.4 k. */
export function rate(n) {
	if (n >= 1e6)
		return `${(n / 1e6).toFixed(1)} M`;
	if (n >= 1e4)
		return `${(n / 1e3).toFixed(0)} k`;
	if (n >= 1e3)
		return `${(n / 1e3).toFixed(1)} k`;
	return n >= 10 || n === 0 ? n.toFixed(0) : n.toFixed(1);
}
