// SPDX-License-Identifier: Apache-2.0
// spark.js - a line of the last rates, without axes.

import { svg } from '/page/dom.js';

const WIDTH = 120, HEIGHT = 24, PAD = 2;

/* An element with update(rates), oldest first; places: how many fill its width. */
export function spark(places) {
	const floor = svg('path', { class: 'floor', d: `M0 ${HEIGHT}H${WIDTH}` });
	const area = svg('path', { class: 'area' }), line = svg('path', { class: 'line' });
	const element = svg('svg', { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, floor, area, line);

	function update(rates) {
		const most = Math.max(1, ...rates), step = WIDTH / (places - 1);
		const begin = WIDTH - (rates.length - 1) * step;
		const points = rates.map((r, i) =>
			`${(begin + i * step).toFixed(1)} ${(HEIGHT - PAD - r / most * (HEIGHT - 2 * PAD)).toFixed(1)}`);
		const path = points.length > 1 ? `M${points.join('L')}` : '';
		line.setAttribute('d', path);
		area.setAttribute('d', path && `${path}L${WIDTH} ${HEIGHT}L${begin.toFixed(1)} ${HEIGHT}Z`);
	}
	return { element, update };
}
