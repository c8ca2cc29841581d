/** No call is made twice because its answer takes long. */
import { repliesAfter } from '../behaviours.ts'
import { startGateway } from '../gateway.ts'
import { faultsOf } from '../health.ts'
import { randomFrom } from '../random.ts'
import type { Row } from '../row.ts'
import { callerOf, each, nonces, speaker, unexpected } from '../turns.ts'
import { faultUpstream } from '../upstream.ts'

export const hedging: Row = {
	id: 'A16',
	fault: 'A second copy of a slow call (hedging)',
	demand: 'there is none: 0 more calls than turns, on idempotent routes, too',
	async run(trial) {
		const random = randomFrom(trial.seed)
		const upstream = await faultUpstream(trial, {
			slow: { act: (line, call) => repliesAfter(random() < 0.1 ? 1000 : 100)(line, call) },
		})
		const own = speaker('canonical')
		const to = { upstream: { url: upstream.at('slow') } }
		const gateway = await startGateway(trial, {
			routes: [own.route('turn', to), own.route('idempotent', { ...to, idempotent: true })],
		})
		const caller = callerOf(trial, gateway.url)
		const nonce = nonces(trial.seed)
		const turns = await each(trial.at(200, 1000, 5000), 100, (n) =>
			caller.take(own, n % 2 === 0 ? 'turn' : 'idempotent', own.event(nonce())),
		)
		const more = upstream.calls - turns.length
		const broken = [
			...faultsOf(gateway),
			...unexpected(
				turns.map(({ heard }) => heard),
				['reply'],
			),
		]
		if (more !== 0) broken.push(`${upstream.calls} calls for ${turns.length} turns`)
		return {
			reached: `${more} more calls in ${turns.length} turns, of which one in ten took ten times as long`,
			broken,
		}
	},
}
