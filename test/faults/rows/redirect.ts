/** An upstream that redirects is asked once, and nobody else is. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startGateway } from '../gateway.ts'
import type { Row } from '../row.ts'

export const redirect: Row = {
	id: 'A12',
	fault: 'The upstream redirects: elsewhere, to itself, to a private address',
	demand: '0 second requests in 1,000; every answer typed',
	async run(trial) {
		const turns = trial.at(50, 1000, 1000)
		let visits = 0
		let target = ''
		const server = createServer((request, response) => {
			visits++
			request.resume()
			response.writeHead(308, { location: target }).end()
		})
		await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
		trial.after(() => server.close())
		const { port } = server.address() as AddressInfo
		const own = `http://127.0.0.1:${port}/`
		const targets = [
			own,
			`${own}elsewhere`,
			`http://localhost:${port}/`,
			'http://169.254.169.254/latest',
			'//[::1]/',
			'',
		]
		const gateway = await startGateway(trial, {
			upstream: { url: own },
			routes: [{ name: 'own', path: '/own', platform: 'canonical' }],
		})

		let typed = 0
		for (let i = 0; i < turns; i++) {
			target = targets[i % targets.length] ?? own
			const response = await fetch(`${gateway.url}/own`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ version: 1, event: { kind: 'message', text: 'hello', attributes: {} } }),
			})
			const { title } = (await response.json()) as { title?: string }
			if (response.status === 502 && title === 'upstream-redirect') typed++
		}
		const broken = []
		if (visits !== turns) broken.push(`${visits} requests for ${turns} turns`)
		if (typed !== turns) broken.push(`${turns - typed} answers were not upstream-redirect`)
		return { reached: `${visits - turns} second requests in ${turns}, ${typed} typed answers`, broken }
	},
}
