// SPDX-License-Identifier: Apache-2.0
// reading.js - a part of a view that shows one answer of the host, read anew at each event of its machine.

import { problemText } from '/page/api.js';
import { h } from '/page/dom.js';
import { store } from '/page/store.js';

/* key(answer): all of it that is shown, so that what has not changed is left alone; draw(answer): elements. */
export function reading(place, vm, signal, { read, key, draw }) {
	let shown = null, asked = 0, drawn = 0, wasLive = store.link.word === 'live';

	async function refresh() {
		const mine = ++asked;
		const answer = await read();
		/* One that began later has been drawn already. */
		if (signal.aborted || mine < drawn)
			return;
		drawn = mine;
		const fresh = key(answer);
		if (fresh === shown)
			return;
		shown = fresh;
		place.replaceChildren(...draw(answer));
	}
	const show = () => refresh().catch((e) => {
		if (!signal.aborted && shown === null)
			place.replaceChildren(h('p', { class: 'empty' }, problemText(e)));
	});
	store.watch(['events'], (event) => (!event || event.vm === vm) && show(), signal);
	/* What happened while it was lost. */
	store.watch(['link'], () => {
		const isLive = store.link.word === 'live';
		if (isLive && !wasLive)
			show();
		wasLive = isLive;
	}, signal);
}
