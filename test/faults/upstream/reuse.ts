/** Connections that the upstream closes just as they are reused. */

import { setTimeout as wait } from 'node:timers/promises'
import { answered } from '../../harness/platforms.ts'
import { oneOf } from '../../harness/random.ts'
import type { Connection, Script } from '../../harness/upstream.ts'
import { answer, replyTo } from '../behaviours.ts'
import { faultsOf } from '../health.ts'
import { none, type Row, unless } from '../row.ts'
import { countEach, each, heardOf, nonceOf, turnsWith, unexpected } from '../turns.ts'

export const reuse: Row = {
	id: 'A13',
	fault: 'The upstream closes an idle connection just as it is reused',
	demand:
		'100,000 turns, connections closed after 1 to 100 calls: 0 errors on idempotent routes; no turn twice on others',
	async run(trial) {
		const { random } = trial
		const left = new WeakMap<Connection, number>()
		let closed = 0
		const closes: Script = async (call, connection) => {
			const calls = left.get(connection) ?? 1 + Math.floor(random() * 100)
			left.set(connection, calls - 1)
			await connection.write(answer(replyTo(call)))
			if (calls > 1) return
			closed++
			const moment = random() * 3
			// Half of them at once, behind the answer; the others while the next call may be on its way.
			const end = () => (random() < 0.5 ? connection.socket.end() : connection.socket.destroy())
			if (moment < 1.5) end()
			else setTimeout(end, moment - 1.5)
		}
		const upstream = await trial.upstream({ '/safe': closes, '/once': closes })
		const gateway = await trial.start({
			routes: answered.flatMap((platform) =>
				['safe', 'once'].map((kind) =>
					platform.route(
						{ upstream: { url: `${upstream.url}/${kind}` }, idempotent: kind === 'safe' },
						`${platform.name}-${kind}`,
					),
				),
			),
		})
		const take = turnsWith(trial, gateway)
		const count = trial.at(1000, 10_000, 100_000)
		const turns = await each(count, 8, async (n) => {
			// Pauses in which connections are idle.
			if (random() < 0.05) await wait(2 * random())
			const platform = oneOf(answered, random)
			const kind = n % 2 === 0 ? 'safe' : 'once'
			return { ...(await take(platform, `${platform.name}-${kind}`)), kind }
		})
		const safe = turns.filter(({ kind }) => kind === 'safe')
		const once = turns.filter(({ kind }) => kind === 'once')
		const copies = countEach(upstream.calls.map(nonceOf))
		const twice = once.filter(({ text }) => (copies.get(text) ?? 0) > 1).length
		return {
			reached: `${count} turns, ${closed} connections closed: idempotent ${heardOf(safe)}; others ${heardOf(once)}, ${twice} twice`,
			broken: [
				...faultsOf(gateway),
				...unexpected(safe, ['reply']),
				// Whether the upstream read such a call is not known, so that it is not repeated.
				...unexpected(once, ['reply', 'upstream-unreachable']),
				...none(twice, 'turns of routes that are not idempotent reached the upstream twice'),
				...unless(closed >= count / 200, `only ${closed} connections were closed`),
			],
		}
	},
}
