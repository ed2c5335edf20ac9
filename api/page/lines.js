// SPDX-License-Identifier: Apache-2.0
// lines.js - lines out of chunks of UTF-8, wherever those are cut.

export class Lines {
	#decoder = new TextDecoder();
	#rest = '';
	#take;

	constructor(take) {
		this.#take = take;
	}

	take(chunk) {
		const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
		this.#rest = lines.pop();
		for (const line of lines)
			if (line)
				this.#take(line);
	}
}
