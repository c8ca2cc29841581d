/** Faults of turns: who gets which answer, and what is waited for. */
import type { Plant } from './plant.ts'

export const turnPlants: readonly Plant[] = [
	{
		id: 'duplicate-called-again',
		fault: 'A repeated call goes to the upstream again',
		edits: [
			{ file: 'src/turn/idempotency.ts', find: 'if (event.id === undefined) {', replace: "if (event.id !== '') {" },
		],
		caughtBy: { file: 'test/idempotency.test.ts' },
	},
	{
		id: 'claim-taken-twice',
		fault: 'Each 50th repeated call that waited for the first goes to the upstream, too',
		edits: [
			{
				file: 'src/node/memory-state.ts',
				find: 'await settled\n',
				replace:
					'await settled\n					if (++waited % 50 === 0) return { fence: underWay.hold(conversation, claim), open: [] }\n',
			},
			{ file: 'src/node/memory-state.ts', find: 'const noNotes =', replace: 'let waited = 0\nconst noNotes =' },
		],
		caughtBy: { row: 'C1' },
	},
	{
		id: 'late-reply-elsewhere',
		fault: 'Each 100th late reply goes to another conversation',
		edits: [
			{
				file: 'src/node/memory-state.ts',
				find: 'async addLateReply(conversation, reply) {\n',
				replace:
					'async addLateReply(own, reply) {\n			const conversation = ++lateReplies % 100 === 0 ? elsewhere : own\n			elsewhere = own\n',
			},
			{
				file: 'src/node/memory-state.ts',
				find: 'const noNotes =',
				replace: "let [lateReplies, elsewhere] = [0, '']\nconst noNotes =",
			},
		],
		caughtBy: { row: 'A3b' },
	},
	{
		id: 'failure-remembered',
		fault: 'A failed turn is remembered as an empty 200',
		edits: [
			{
				file: 'src/turn/take-turn.ts',
				find: 'await settleCall(claim, record.error ? undefined : answer',
				replace: 'await settleCall(claim, record.error ? acknowledgement : answer',
			},
		],
		caughtBy: { file: 'test/idempotency.test.ts' },
	},
	{
		id: 'conversation-without-route',
		fault: 'Choices, late replies and answers are remembered by ids without their route',
		edits: [
			{ file: 'src/turn/keys.ts', find: 'const key = `$' + '{name} ', replace: 'const key = `$' + '{name && ""} ' },
		],
		caughtBy: { row: 'D21' },
	},
	{
		id: 'redirects-followed',
		fault: 'Redirects are followed',
		edits: followed('status > 300 && status < 309'),
		caughtBy: { file: 'test/upstream.test.ts', test: 'fail|\\d{3}' },
	},
	{
		id: 'redirect-308-followed',
		fault: 'Only the redirect 308 is followed',
		edits: followed('status === 308'),
		caughtBy: { file: 'test/upstream.test.ts', test: 'fail|\\d{3}' },
	},
	{
		id: 'no-body-timeout',
		fault: 'There is no limit of time for the body of a call',
		edits: [{ file: 'src/node/listener.ts', find: 'requestTimeout: 7000', replace: 'requestTimeout: 0' }],
		caughtBy: { row: 'D3' },
	},
	{
		id: 'no-reply-timeout',
		fault: "There is no limit of time for the body of an upstream's answer",
		edits: [
			{
				file: 'src/node/undici-exchange.ts',
				find: "		const answer = { status, headers: fieldsOf(headers), body: '' }\n",
				replace: "		const answer = { status, headers: fieldsOf(headers), body: '' }\n		clearTimeout(this.#timer)\n",
			},
		],
		caughtBy: { row: 'A4' },
	},
	{
		id: 'pipelined-at-once',
		fault: 'The requests of one connection are processed at once',
		edits: [
			{
				file: 'src/node/serialize-pipelining.ts',
				find: 'if (connection.current) connection.waiting.push(exchange)\n			else begin',
				replace: 'begin',
			},
		],
		caughtBy: { file: 'test/node/serialize-pipelining.test.ts', test: 'one after the other' },
	},
	{
		id: 'answer-replaced-by-400',
		fault: 'The answer of a good request is replaced by the 400 of a bad one behind it',
		edits: [
			{
				file: 'src/node/serialize-pipelining.ts',
				find: 'waiting.pop()\n			endAfterAnswers(socket, answerTo(error))',
				replace: 'waiting.pop()\n			socket.end(answerTo(error))',
			},
		],
		caughtBy: { file: 'test/node/serialize-pipelining.test.ts', test: 'behind good requests' },
	},
	{
		id: 'upgrade-swallows',
		fault: 'A request behind one that asks for an upgrade gets no answer, and the third one gets it',
		edits: [
			{
				file: 'src/node/serialize-pipelining.ts',
				find: 'if (asksForUpgrade(incoming)) {',
				replace: 'if (incoming.aborted && asksForUpgrade(incoming)) {',
			},
		],
		caughtBy: { file: 'test/node/serialize-pipelining.test.ts', test: 'upgrade' },
	},
	{
		id: 'no-stages',
		fault: 'A large turn never lets others run between its stages',
		edits: [
			{ file: 'src/turn/stages.ts', find: 'return body.length > longestReparsed', replace: 'return body.length < 0' },
		],
		caughtBy: { file: 'test/stages.test.ts' },
	},
]

function followed(which: string): Plant['edits'] {
	return [
		{
			file: 'src/node/undici-client.ts',
			find: 'new UndiciExchange(call, budgetOf(origin), resolve, reject)',
			replace: `new UndiciExchange(call, budgetOf(origin), (response) => {
					const { status, headers } = response
					const location = headers.find(([name]) => name === 'location')?.[1]
					if (location === undefined || !(${which})) return resolve(response)
					this.send({ ...call, url: new URL(location, call.url).href }).then(resolve, reject)
				}, reject)`,
		},
	]
}
