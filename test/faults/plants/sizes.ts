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
		edits: [{ file: 'src/http/byte-budget.ts', find: 'if (isOver) throw', replace: 'if (isOver && more < 0) throw' }],
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
			{
				file: 'src/turn/decode.ts',
				find: 'refuse(excessOfEvent(decoded.model))',
				replace: 'excessOfEvent(decoded.model)',
			},
			{
				file: 'src/turn/decode.ts',
				find: 'refuse(excessOfReply(decoded.model))',
				replace: 'excessOfReply(decoded.model)',
			},
		],
		caughtBy: { file: 'test/model-limits.test.ts' },
	},
	{
		id: 'turns-kept',
		fault: 'Each turn is kept for ever',
		edits: [
			{
				file: 'src/turn/take-turn.ts',
				find: '	const platform = recognise(route, call)\n',
				replace: '	const platform = recognise(route, call)\n	turns.push({ turn, copy: JSON.stringify(call) })\n',
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
		id: 'memory-unlimited',
		fault: 'What is remembered of conversations has no bound',
		edits: [
			{
				file: 'src/node/memory-state.ts',
				find: 'maxSize: Math.floor((heap * limits.rememberedHeap.value) / 100)',
				replace: 'maxSize: heap * 1000',
			},
		],
		caughtBy: { file: 'test/state.test.ts', test: 'as many as the heap allows' },
	},
	{
		id: 'memory-for-ever',
		fault: 'What is remembered of conversations is never too old',
		edits: [
			{
				file: 'src/node/memory-state.ts',
				find: 'performance.now() - at < lifetime',
				replace: 'performance.now() - at < Number.MAX_VALUE * lifetime',
			},
		],
		caughtBy: { file: 'test/state.test.ts', test: 'after a day' },
	},
	{
		id: 'answers-of-one-conversation',
		fault: 'One conversation may have any number of remembered answers',
		edits: [
			{
				file: 'src/node/memory-state.ts',
				find: 'withoutOldest(withNote(answers, added), areTooManyAnswers)',
				replace: 'withoutOldest(withNote(answers, added), (count) => count < 0 && areTooManyAnswers(0, 0))',
			},
		],
		caughtBy: { file: 'test/state.test.ts', test: 'answers of a conversation' },
	},
	{
		id: 'late-answers-not-weighed',
		fault: 'Late answers are counted, and not weighed',
		edits: [
			{
				file: 'src/node/memory-state.ts',
				find: ' || late.bytes > limits.lateRepliesBytes.value',
				replace: '',
			},
		],
		caughtBy: { file: 'test/state.test.ts', test: 'late replies of a conversation' },
	},
	{
		id: 'late-answers-joined-unlimited',
		fault: 'Late answers make a reply of any size',
		edits: [{ file: 'src/turn/late-replies.ts', find: '!excessOfReply(joined.reply) && ', replace: '' }],
		caughtBy: { file: 'test/late-replies.test.ts', test: 'over the limits of a reply' },
	},
	{
		id: 'choices-not-weighed',
		fault: 'The open choices of a conversation may take any amount of memory',
		edits: [
			{
				file: 'src/turn/choices.ts',
				find: 'return units <= max && utf8',
				replace: 'return units <= 1000 * max || utf8',
			},
		],
		caughtBy: { file: 'test/choices.test.ts', test: 'too large together' },
	},
	{
		id: 'claims-unlimited',
		fault: 'Any number of calls under way is kept for repeated ones',
		edits: [
			{
				file: 'src/node/calls-under-way.ts',
				find: 'if (count >= most) return fence',
				replace: 'if (count >= 1000 * most) return fence',
			},
		],
		caughtBy: { file: 'test/state.test.ts', test: 'calls under way' },
	},
	{
		id: 'restart-ends-the-wait',
		fault: 'On Workers, a call that waits while its object restarts goes to the upstream',
		edits: [
			{
				file: 'src/worker/remote-state.ts',
				find: 'await object.beginNext(beginning, fence),\n				pauses,',
				replace: 'await object.beginNext(beginning, fence),',
			},
		],
		caughtBy: { file: 'test/workers/state.test.ts', test: 'while their object restarts' },
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
