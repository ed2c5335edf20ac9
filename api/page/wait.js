// SPDX-License-Identifier: Apache-2.0
// wait.js - later, or again and again, as long as a view or a link lasts.

/* Fails when the signal ends it. */
export function pause(ms, signal) {
	return new Promise((done, fail) => {
		let timer = 0;
		const end = () => {
			clearTimeout(timer);
			fail(new Error('ended'));
		};
		timer = setTimeout(() => {
			signal.removeEventListener('abort', end);
			done();
		}, ms);
		signal.addEventListener('abort', end, { once: true });
		if (signal.aborted)
			end();
	});
}

/* Until the signal. */
export function every(ms, f, signal) {
	const timer = setInterval(f, ms);
	signal.addEventListener('abort', () => clearInterval(timer));
}
