/** The whole of it: callers, nginx, a held socket, and a gateway that is restarted under load. */
import { Agent, request } from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { hold } from '../harness/held.ts'
import { ownTo } from '../harness/platforms.ts'
import { testScope } from '../servers.ts'
import { has } from '../tools.ts'
import { nginx } from './front.ts'

const restarts = process.env.FULL ? 10 : 2

test.skipIf(!has('nginx'))(
	`${restarts} restarts behind nginx break nothing`,
	async () => {
		const { gateway, url } = hold(testScope, ownTo('builtin:demo'))
		let pid = await gateway(1)
		const { port: front, ca } = await nginx(url())
		const body = JSON.stringify({ version: 1, event: { kind: 'message', text: 'Hi', attributes: {} } })
		const headers = { 'content-type': 'application/json' }
		const once = (agent: Agent) =>
			new Promise<number | string>((done) => {
				const at = { host: 'localhost', port: front, path: '/own', method: 'POST', ca, agent, headers }
				request(at, (answer) => answer.resume().on('end', () => done(answer.statusCode ?? 0)))
					.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? 'broken'))
					.end(body)
			})
		let going = true
		const results: (number | string)[] = []
		const callers = Array.from({ length: 32 }, async () => {
			const agent = new Agent({ keepAlive: true, maxSockets: 1 })
			while (going) results.push(await once(agent))
			agent.destroy()
		})
		for (let number = 1; number <= restarts; number++) {
			await wait(300)
			process.kill(pid, 'SIGTERM')
			pid = await gateway(number + 1)
		}
		going = false
		await Promise.all(callers)
		console.log(`${restarts} restarts behind nginx: ${results.length} served`)
		expect(results.filter((result) => result !== 200)).toEqual([])
		expect(results.length).toBeGreaterThan(callers.length)
	},
	120_000,
)
