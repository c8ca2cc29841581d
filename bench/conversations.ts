/** The memory of what is remembered of conversations, on Node. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { limits } from '../src/limits.ts'
import { type Experiment, round } from './experiment.ts'

const count = 100_000

export const conversations: Experiment = {
	...{ id: 'Memory', title: `${count.toLocaleString('en')} remembered conversations` },
	async run() {
		const program = fileURLToPath(new URL('../test/harness/many-conversations.ts', import.meta.url))
		// Enough that none of them is forgotten.
		const heap = ['--expose-gc', '--max-old-space-size=8000']
		const { stdout } = await promisify(execFile)(process.execPath, [...heap, program, String(count)])
		const used = stdout.trim().split('\n').map(Number)
		const [first = Number.NaN, last = Number.NaN] = [used[0], used.at(-1)]
		const each = (last - first) / (0.9 * count)
		return {
			head: ['', 'Memory'],
			rows: [
				['A conversation with ten open choices, a late reply and an answer', `${round(each / 1000)} kB`],
				[`${count.toLocaleString('en')} of them`, `${round((each * count) / 1e6)} MB`],
				['May be used, of the heap limit of the process', `${limits.rememberedHeap.value} %`],
			],
			figures: { 'conversation, bytes': each },
			targets: [],
		}
	},
}
