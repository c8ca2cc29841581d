/** The Worker's built bundle in workerd, without flags, configured as wrangler.toml says. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { parse } from 'smol-toml'
import * as v from 'valibot'
import { wranglerToml } from '../../scripts/check-wrangler.ts'
import { bundleWorker } from '../../scripts/worker-bundle.ts'
import type { LogLine } from '../../src/runtime.ts'

const bundleAlone = "export * from './bundle.js'\nexport { default } from './bundle.js'\n"

/** A Worker that runs. */
interface Running {
	readonly url: string
	readonly lines: LogLine[]
	end(): Promise<void>
}

/** Bundles the Worker with this configuration into the folder and runs it; `front` is a module that imports the bundle. */
export async function runWorker(
	folder: string,
	config: object,
	env: { readonly [name: string]: string },
	front = bundleAlone,
): Promise<Running> {
	const file = join(folder, 'gateway.json')
	writeFileSync(file, JSON.stringify(config))
	const { code } = await bundleWorker(join(folder, 'out'), file)
	const lines: LogLine[] = []
	const miniflare = new Miniflare(
		convertV4MiniflareOptions({
			modules: [
				{ type: 'ESModule', path: 'index.js', contents: front },
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
	const { origin } = await miniflare.ready
	let ended: Promise<void> | undefined
	return { url: origin, lines, end: () => (ended ??= miniflare.dispose()) }
}

/** What wrangler.toml tells the local runtime. */
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
