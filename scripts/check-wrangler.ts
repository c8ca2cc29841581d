/** Checks wrangler.toml for settings that would silently lose events. Also run by `npm run build:worker`. */
import { readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import * as v from 'valibot'
import { defaultSchedule } from '../src/delivery/index.ts'

const Producer = v.looseObject({ binding: v.optional(v.string()), queue: v.optional(v.string()) })
const Consumer = v.looseObject({
	queue: v.optional(v.string()),
	dead_letter_queue: v.optional(v.string()),
	max_retries: v.optional(v.number()),
})
const Section = v.looseObject({
	compatibility_flags: v.optional(v.array(v.string()), []),
	queues: v.optional(
		v.looseObject({
			producers: v.optional(v.array(Producer), []),
			consumers: v.optional(v.array(Consumer), []),
		}),
		{},
	),
})
const File = v.looseObject({
	...Section.entries,
	send_metrics: v.optional(v.boolean()),
	env: v.optional(v.record(v.string(), Section), {}),
})

/** The binding through which the Worker sends dead letters. */
const deadBinding = 'DEAD_EVENTS'

/** The mistakes of a wrangler.toml, including its named environments; empty if it may be deployed. */
export function checkWrangler(toml: string): string[] {
	const file = v.parse(File, parse(toml))
	const sections = [
		['', file] as const,
		...Object.entries(file.env).map(([name, env]) => [`env.${name}.`, env] as const),
	]
	return [
		...(file.send_metrics === false ? [] : ['send_metrics: must be false']),
		...sections.flatMap(([at, section]) => checkSection(at, section)),
	]
}

function checkSection(at: string, { compatibility_flags, queues }: v.InferOutput<typeof Section>): string[] {
	const { producers, consumers } = queues
	const consumed = new Set(consumers.map(({ queue }) => queue))
	const dead = producers.find(({ binding }) => binding === deadBinding)?.queue
	return [
		...compatibility_flags.map((flag) => `${at}compatibility_flags: ${flag}: remove it; the gateway needs no flags`),
		...producers.flatMap(({ binding, queue }, i) =>
			binding === deadBinding || consumed.has(queue)
				? []
				: [`${at}queues.producers[${i}]: ${queue ?? 'a queue without a name'} has no consumer`],
		),
		...consumers.flatMap((consumer, i) =>
			checkConsumer(consumer, dead).map((mistake) => `${at}queues.consumers[${i}].${mistake}`),
		),
	]
}

function checkConsumer(
	{ queue, dead_letter_queue: dead, max_retries: retries }: v.InferOutput<typeof Consumer>,
	bound: string | undefined,
): string[] {
	const attempts = defaultSchedule.schedule.length
	return [
		...(dead ? [] : ['dead_letter_queue: is missing: undeliverable events would be deleted']),
		...(dead && dead === queue ? ['dead_letter_queue: must be another queue'] : []),
		...(dead && dead !== queue && dead !== bound ? [`dead_letter_queue: must be the queue of ${deadBinding}`] : []),
		...(retries === attempts - 1 ? [] : [`max_retries: must be ${attempts - 1}, to match the default schedule`]),
	]
}

/** The text of this project's wrangler.toml. */
export function wranglerToml(): string {
	return readFileSync(new URL('../wrangler.toml', import.meta.url), 'utf8')
}
