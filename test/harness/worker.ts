/** The Worker's built bundle in workerd, without flags, configured as wrangler.toml says. */
import { fileURLToPath } from 'node:url'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { parse } from 'smol-toml'
import * as v from 'valibot'
import { adapters } from '../../adapters/index.ts'
import { wranglerToml } from '../../scripts/check-wrangler.ts'
import { type Bundle, bundleWorker } from '../../scripts/worker-bundle.ts'
import type { LogLine } from '../../src/runtime.ts'

const bundleAlone = "export * from './bundle.js'\nexport { default } from './bundle.js'\n"

/** A Worker that runs. */
interface Running {
	readonly url: string
	readonly lines: LogLine[]
	end(): Promise<void>
}

/** The bundle of this process; only its configuration comes from outside. */
let bundled: Promise<Bundle> | undefined

/** Runs the Worker with this configuration; `front` is a module that imports the bundle. Builds it in the folder. */
export async function runWorker(
	folder: string,
	config: object,
	env: { readonly [name: string]: string },
	front = bundleAlone,
): Promise<Running> {
	bundled ??= bundleWorker(folder, fileURLToPath(new URL('../workers/bound-config.ts', import.meta.url)), {
		adapters,
		own: [],
		replyUrls: true,
	})
	const { code } = await bundled
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
			bindings: { ...env, GATEWAY_CONFIG: JSON.parse(JSON.stringify(config)) },
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
