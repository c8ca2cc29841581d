/** Faults of bounds: what one call, or many, can take of time and memory. */
import type { Plant } from './plant.ts'

export const sizePlants: readonly Plant[] = [
	{
		id: 'blocked-300-ms',
		fault: 'Each body over 50 kB blocks the event loop for 300 ms',
		edits: [
			{
				file: 'src/format/json.ts',
				find: '	let outcome = parsed.get(message)\n',
				replace:
					'	let outcome = parsed.get(message)\n	if (!outcome && message.body.length > 50_000) for (const from = Date.now(); Date.now() - from < 300; );\n',
			},
		],
		caughtBy: { row: 'D10' },
	},
	{
		id: 'no-limit-without-length',
		fault: 'A body without a declared length has no limit',
		edits: [{ file: 'src/http/read-limited.ts', find: 'if (size > limit) {', replace: 'if (size < 0) {' }],
		caughtBy: { file: 'test/app.test.ts', test: 'over the limit' },
	},
	{
		id: 'turns-kept',
		fault: 'Each turn is kept for ever',
		edits: [
			{
				file: 'src/turn/take-turn.ts',
				find: '	const record = createRecord()\n',
				replace: '	const record = createRecord()\n	turns.push({ turn, record, copy: JSON.stringify(turn.call) })\n',
			},
			{
				file: 'src/turn/take-turn.ts',
				find: '/** There and back:',
				replace: 'const turns: object[] = []\n\n/** There and back:',
			},
		],
		caughtBy: { row: 'B9' },
	},
	{
		id: 'labels-in-quadratic-time',
		fault: 'Labels that are cut alike are numbered in quadratic time',
		edits: [
			{
				file: 'src/fit/context.ts',
				find: 'number = Math.max(number, lastNumbers.get(stemBefore(number + 1)) ?? 1) + 1',
				replace: 'number += 1',
			},
		],
		caughtBy: { file: 'test/fit.test.ts', test: 'linear' },
	},
	{
		id: 'long-words-normalized',
		fault: 'Words of any length are normalized to look for their label',
		edits: [
			{
				file: 'src/fit/label-key.ts',
				find: 'if (words.length > limits.comparedLabel.value) return undefined',
				replace: 'if (limits.comparedLabel.value < 0) return undefined',
			},
		],
		caughtBy: { file: 'test/choices.test.ts', test: 'too long to be a label' },
	},
]
