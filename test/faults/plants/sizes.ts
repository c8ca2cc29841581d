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
		edits: [
			{
				file: 'src/http/read-body.ts',
				find: 'if (size > maxBody) throw tooLarge()',
				replace: 'if (size < 0) throw tooLarge()',
			},
		],
		caughtBy: { file: 'test/app.test.ts', test: 'over the limit' },
	},
	{
		id: 'no-body-budget',
		fault: 'The bodies of all calls may take any amount of memory together',
		edits: [{ file: 'src/http/body-budget.ts', find: 'if (isOver) throw', replace: 'if (isOver && bytes < 0) throw' }],
		caughtBy: { file: 'test/bodies.test.ts', test: 'budget' },
	},
	{
		id: 'values-not-counted',
		fault: 'A body may have any number of JSON values',
		edits: [
			{
				file: 'src/format/json.ts',
				find: '++tokens - keys > maxValues || tokens > 2 * maxValues',
				replace: '++tokens < keys && tokens > maxValues',
			},
		],
		caughtBy: { file: 'test/json.test.ts', test: 'number of values' },
	},
	{
		id: 'model-unlimited',
		fault: 'Events and replies may have any number of attributes and elements',
		edits: [
			{ file: 'src/turn/decode.ts', find: 'if (excess) throw', replace: 'if (excess && excess.limit < 0) throw' },
		],
		caughtBy: { file: 'test/model-limits.test.ts' },
	},
	{
		id: 'turns-kept',
		fault: 'Each turn is kept for ever',
		edits: [
			{
				file: 'src/turn/take-turn.ts',
				find: '		platform = recognise(route, turn.call)\n',
				replace:
					'		platform = recognise(route, turn.call)\n		turns.push({ turn, copy: JSON.stringify(turn.call) })\n',
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
		caughtBy: { file: 'test/fit.test.ts', test: 'in proportion' },
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
