/** The results that the documents show: of each experiment the last that was kept, with its machine, versions and date. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import * as v from 'valibot'
import type { Finding } from './experiment.ts'

const Target = v.object({
	what: v.string(),
	reached: v.number(),
	bound: v.picklist(['most', 'least']),
	limit: v.number(),
	unit: v.exactOptional(v.string()),
})

/** The result of one experiment. */
const Result = v.object({
	/** The day, as RFC 3339 writes it. */
	date: v.string(),
	machine: v.string(),
	versions: v.string(),
	head: v.array(v.string()),
	rows: v.array(v.array(v.string())),
	figures: v.record(v.string(), v.number()),
	targets: v.array(Target),
})
export type Result = v.InferOutput<typeof Result>

const file = new URL('results.json', import.meta.url)

/** All results, by the id of the experiment. */
export function readResults(): { readonly [id: string]: Result } {
	return v.parse(v.record(v.string(), Result), JSON.parse(readFileSync(file, 'utf8')))
}

/** Keeps the result of an experiment, in place of its last. */
export function writeResult(id: string, finding: Finding): void {
	const result = { date: new Date().toISOString().slice(0, 10), machine: machine(), versions: versions(), ...finding }
	const results = { ...readResults(), [id]: result }
	const sorted = Object.entries(results).toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
	writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), null, '\t')}\n`)
}

/** Programs that waited for a core in the last minutes, when this one had just begun. */
const others = loadavg()[2] ?? 0

function machine(): string {
	const [cpu] = cpus()
	const gibibytes = Math.round(totalmem() / 1024 ** 3)
	const busy = others > 0.5 ? `, with other work on it (load average ${others.toFixed(1)} before)` : ''
	return `${cpus().length} cores (${cpu?.model.trim()}), ${gibibytes} GiB of memory, Linux ${release()}${busy}`
}

function versions(): string {
	const wanted = ['undici', 'hono', '@hono/node-server', 'valibot']
	const listed = wanted.map((name) => {
		const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url)
		return `${name} ${v.parse(v.object({ version: v.string() }), JSON.parse(readFileSync(manifest, 'utf8'))).version}`
	})
	return [`Node ${process.versions.node}`, ...listed].join(', ')
}
