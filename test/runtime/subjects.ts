/** The two runtimes as the suite starts them: the Node server, and the Worker's built bundle in workerd, without flags. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { parse } from 'smol-toml'
import * as v from 'valibot'
import { adapters } from '../../adapters/index.ts'
import { wranglerToml } from '../../scripts/check-wrangler.ts'
import { bundleWorker } from '../../scripts/worker-bundle.ts'
import { serve } from '../../src/node/serve.ts'
import type { LogLine } from '../../src/runtime.ts'

export interface Running {
	readonly url: string
	/** What the gateway logged. */
	readonly lines: readonly LogLine[]
	close(): Promise<void>
}

export interface Subject {
	readonly name: string
	start(config: object, env: { readonly [name: string]: string }): Promise<Running>
}

export const node: Subject = {
	name: 'Node',
	async start(config, env) {
		// With an outbox, for on Workers there always is one.
		const folder = await mkdtemp(join(tmpdir(), 'dragoman-node-'))
		const lines: LogLine[] = []
		const { url, close } = await serve({
			config: { ...config, outbox: { file: join(folder, 'outbox.db') } },
			...{ adapters, env, log: (line) => lines.push(line) },
		})
		return {
			...{ url, lines },
			async close() {
				await close()
				await rm(folder, { recursive: true })
			},
		}
	},
}

export const worker: Subject = { name: 'Workers', start: (config, env) => startWorker(config, env) }

/** The Worker's bundle with this configuration; `broken` is a module in front of it, which imports it as `./bundle.js`. */
export async function startWorker(
	config: object,
	env: { readonly [name: string]: string },
	broken = "export * from './bundle.js'\nexport { default } from './bundle.js'\n",
): Promise<Running> {
	const folder = await mkdtemp(join(tmpdir(), 'dragoman-worker-'))
	const file = join(folder, 'gateway.json')
	await writeFile(file, JSON.stringify(config))
	const { code } = await bundleWorker(join(folder, 'out'), file)
	const lines: LogLine[] = []
	const miniflare = new Miniflare(
		convertV4MiniflareOptions({
			modules: [
				{ type: 'ESModule', path: 'index.js', contents: broken },
				{ type: 'ESModule', path: 'bundle.js', contents: code },
			],
			...v.parse(Wrangler, parse(wranglerToml())),
			cf: false,
			host: '127.0.0.1',
			port: 0,
			bindings: { ...env },
			log: new Log(LogLevel.NONE),
			handleStructuredLogs: ({ message }) => {
				if (message.startsWith('{"level":')) lines.push(JSON.parse(message))
			},
		}),
	)
	const url = await miniflare.ready
	return {
		url: url.origin,
		lines,
		async close() {
			await miniflare.dispose()
			await rm(folder, { recursive: true })
		},
	}
}

/** What of wrangler.toml the local runtime is told. */
const Wrangler = v.pipe(
	v.object({
		compatibility_date: v.string(),
		durable_objects: v.object({ bindings: v.array(v.object({ name: v.string(), class_name: v.string() })) }),
		queues: v.object({
			producers: v.array(v.object({ binding: v.string(), queue: v.string() })),
			consumers: v.array(v.object({ queue: v.string(), max_retries: v.number(), dead_letter_queue: v.string() })),
		}),
	}),
	v.transform(({ compatibility_date, durable_objects, queues }) => ({
		compatibilityDate: compatibility_date,
		durableObjects: Object.fromEntries(
			durable_objects.bindings.map(({ name, class_name }) => [name, { className: class_name, useSQLite: true }]),
		),
		queueProducers: Object.fromEntries(queues.producers.map(({ binding, queue }) => [binding, queue])),
		queueConsumers: Object.fromEntries(
			queues.consumers.map(({ queue, max_retries, dead_letter_queue }) => [
				queue,
				{ maxRetries: max_retries, deadLetterQueue: dead_letter_queue, maxBatchTimeout: 0 },
			]),
		),
	})),
)
