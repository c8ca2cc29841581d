/**
 * The load where wrk is not installed: does and prints the same as ../load.lua, with autocannon. Arguments: the URL, the
 * connections, the seconds, the file of the call, and a text of eight characters that no other run has.
 */
import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'

const [, , url, connections, duration, file, run] = process.argv
const call = readFileSync(file, 'utf8')
let calls = 0

const result = await autocannon({
	url,
	connections: Number(connections),
	duration: Number(duration),
	requests: [{ method: 'POST', headers: { 'content-type': 'application/json' }, setupRequest }],
})
const { '2xx': turns, non2xx, errors, latency } = result
const failed = non2xx + errors
console.log(JSON.stringify({ turns, failed, seconds: result.duration, p50: latency.p50, p99: latency.p99 }))

function setupRequest(request) {
	const n = ++calls
	// A thousand conversations at the same time, of ten turns each.
	const conversation = (n % 1000) + Math.floor(n / 10_000) * 1000
	const body = call
		.replace('{{id}}', `${run}-${String(n).padStart(27, '0')}`)
		.replaceAll('{{conversation}}', `${run}${conversation.toString(16).padStart(16, '0')}`)
	return { ...request, body }
}
