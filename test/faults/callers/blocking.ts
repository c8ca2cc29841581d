/** Calls and replies that cost more than their size suggests: none blocks the event loop, and large ids keep their digits. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { WireResponse } from '../../../src/format/index.ts'
import type { OutgoingCall } from '../../../src/runtime.ts'
import { longestBlock, threadTime } from '../../harness/event-loop.ts'
import { json, says } from '../../harness/http.ts'
import { ownTo } from '../../harness/platforms.ts'
import { type Row, type Trial, unless } from '../row.ts'
import { codeOf } from '../turns.ts'

import { answerCases } from './large-answers.ts'
import { withId } from './large-bodies.ts'
import { callCases } from './large-calls.ts'
import type { Case } from './large-cases.ts'

/** Milliseconds for which a call may block the loop. */
const most = 50

/** Milliseconds: a call that blocks for longer is measured three times. */
const suspicious = 20

/** Numbers that no double holds, as they stand in the body. */
const ids = [
	...['12345678901234567890', '9007199254740993', '1e999', '123456789012345678901234567890'],
	...['-0.1000000000000000055511151231257827', '1e-400', '-9223372036854775809', '0.30000000000000000001'],
]

export const blocking: Row = {
	id: 'D10',
	fault: 'Calls, replies and late replies that are deep, wide or long, on every platform and with every upstream',
	demand: `no call blocks the event loop for > ${most} ms, the most of three; 0 faults; big ids keep every digit`,
	async run(trial) {
		const broken = await lostDigits(trial)
		const measured: Measured[] = []
		for (let i = 0; i < 20; i++) slowness()
		for (const each of [...(await callCases(trial)), ...(await answerCases(trial))]) {
			measured.push(await measure(each))
			// Each of them takes long, and more would not be shown.
			if (measured.filter(({ block }) => block > most).length === 10) break
		}
		const refused = measured.filter(({ answer }) => answer.status >= 400)
		const faults = refused.filter(({ answer }) => (codeOf(answer) ?? 'internal') === 'internal')
		const worst = measured.toSorted((a, b) => b.block - a.block)
		const slow = worst.filter(({ block }) => block > most)
		return {
			reached: `${measured.length} calls, ${refused.length} of them rejected; the longest block was ${worst[0]?.block.toFixed(0)} ms (${worst[0]?.what}); ${ids.length} ids`,
			broken: [
				...broken,
				...faults.map(({ what, answer }) => `${what}: a fault of the gateway, ${answer.status}`),
				...unless(slow.length === 0, `${slow.length} of ${measured.length} calls block the event loop for too long`),
				...slow.map(({ what, block }) => `${what}: blocks the event loop for ${block.toFixed(0)} ms`),
				...unless(refused.length > 0 && refused.length < measured.length, 'all of them went the same way'),
			],
		}
	},
}

interface Measured {
	readonly what: string
	/** Milliseconds. */
	readonly block: number
	readonly answer: WireResponse
}

/**
 * A first try says whether to look closer. Then the most of three counts, each after a garbage collection: what the test
 * leaves behind is no part of the call.
 */
async function measure({ what, prepare }: Case): Promise<Measured> {
	const { block, result } = await longestBlock(await prepare())
	if (block < suspicious) return { what, block, answer: result }
	let longest = 0
	for (let tries = 0; tries < 3 && longest < 20 * most; tries++) {
		const act = await prepare()
		collectGarbage()
		const before = slowness()
		const tried = await longestBlock(act)
		longest = Math.max(longest, tried.block / ((before + slowness()) / 2))
	}
	return { what, block: longest, answer: result }
}

/** Milliseconds of CPU time of the fastest run of the same work so far. */
let fastest = Number.POSITIVE_INFINITY

/**
 * How many times as long as at best this machine takes now for the same work, when others use its caches and its cores;
 * three at most, so that a long block is never excused.
 */
function slowness(): number {
	const times = Array.from({ length: 3 }, () => {
		const from = threadTime()
		JSON.parse(work)
		return threadTime() - from
	})
	const now = times.reduce((sum, time) => sum + time, 0) / times.length
	fastest = Math.min(fastest, ...times)
	return Math.min(3, Math.max(1, now / fastest))
}

const work = JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ name: `name ${i}`, value: i })))

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

async function lostDigits(trial: Trial): Promise<string[]> {
	let body = ''
	const send = async (call: OutgoingCall): Promise<WireResponse> => {
		body = call.body
		return json(says('Hello'))
	}
	const gateway = await trial.start(ownTo('http://upstream.test/'), { as: 'inside', replace: () => ({ send }) })
	const broken: string[] = []
	for (const id of ids) {
		body = ''
		await gateway.send({ path: '/own', body: withId(id) })
		broken.push(...unless(body.includes(`"id":"${id}"`), `${id} came as ${/"id":[^,}]*/.exec(body)}`))
	}
	return broken
}
