/** P5: what a turn costs beside ten thousand routes. */
import { compare, figure, ratio, type Subject } from './compare.ts'
import type { Experiment } from './experiment.ts'
import { configOf, startGateway } from './peers.ts'
import { spread, startUpstream } from './turns.ts'
import { call, route, target } from './work.ts'

const count = 10_000

export const manyRoutes: Experiment = {
	...{ id: 'P5', title: `A turn beside ${count.toLocaleString('en')} routes` },
	async run(trial) {
		const upstream = await startUpstream(trial)
		const config = configOf(`${upstream.url}/hook`)
		const others = Array.from({ length: count - 1 }, (_, i) => ({ ...route, name: `route-${i}`, path: `/route-${i}` }))
		// The route of the work is in the middle.
		const many = { ...config, routes: others.toSpliced(count / 2, 0, route) }
		const subjects: Subject[] = [
			{ id: 'one', running: await startGateway(trial, config), target, call },
			{ id: 'many', running: await startGateway(trial, many), target, call },
		]
		const samples = await compare(trial, subjects, 32, trial.pace)
		const cpu = ratio(samples, 'many', 'one', 'cpu')
		return {
			head: ['Routes', 'CPU a turn, µs', 'against one route'],
			rows: [
				['1', spread(figure(samples, 'one', 'cpu')), ''],
				[count.toLocaleString('en'), spread(figure(samples, 'many', 'cpu')), spread(cpu, ' ×')],
			],
			figures: { 'many routes': cpu.median },
			targets: [{ what: 'CPU against one route', reached: cpu.median, bound: 'most', limit: 1.05 }],
		}
	},
}
