/** The dashboard for Grafana and the alerts for Prometheus ask for metrics, labels and values that there are, and the page explains them all. */
import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { errors } from '../../src/errors.ts'
import { createMetrics } from '../../src/node/metrics/metrics.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

const { registry } = createMetrics({
	routes: () => [],
	outbox: { count: async () => ({ events: [], usedBytes: 0 }), maxBytes: 0, now: () => 0 },
})
const Metric = v.object({ name: v.string(), type: v.string(), labelNames: v.optional(v.array(v.string()), []) })
const metrics = new Map(
	registry.getMetricsAsArray().map((metric) => {
		const { name, type, labelNames } = v.parse(Metric, { labelNames: [], ...metric, type: String(metric.type) })
		return [name, { type, labelNames }] as const
	}),
)
const own = [...metrics.keys()].filter((name) => name.startsWith('dragoman_'))

const Dashboard = v.object({
	panels: v.array(v.object({ title: v.string(), targets: v.optional(v.array(v.object({ expr: v.string() })), []) })),
	templating: v.object({ list: v.array(v.object({ name: v.string(), query: v.unknown() })) }),
})
const dashboard = v.parse(Dashboard, JSON.parse(read('deploy/grafana/dragoman.json')))
const alerts = read('deploy/prometheus/alerts.yml')
const queries = [
	...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
	...[...alerts.matchAll(/alert: (\w+)\n\s+expr: (.*)\n/g)].map(([, name = '', expr = '']) => [name, expr] as const),
]

/** The values that labels can have, where the gateway knows them all. */
const values: { readonly [label: string]: readonly string[] } = {
	outcome: ['answered', 'held', 'duplicate', 'failed'],
	error: Object.keys(errors),
	did: ['dropped', 'shortened', 'split', 'merged', 'converted', 'added', 'escaped', 'kept', 'failed'],
	result: ['ok', 'failed', 'delivered', 'postponed', 'dead'],
	state: ['waiting', 'delivered', 'dead'],
	to: ['upstream', 'platform'],
}

/** The metric that a name in a query is of: a histogram has three. */
function metricOf(name: string) {
	const base = name.replace(/_(?:bucket|sum|count)$/, '')
	const found = metrics.get(name) ?? (metrics.get(base)?.type === 'histogram' ? metrics.get(base) : undefined)
	return found && { ...found, isBucket: name.endsWith('_bucket') }
}

test('there is something to check', () => {
	expect(queries.length).toBeGreaterThan(30)
	expect(queries.filter(([name]) => name.startsWith('Dragoman'))).toHaveLength(alerts.match(/ alert: /g)?.length ?? 0)
	expect(own.length).toBeGreaterThan(15)
})

test.each(queries)('%s asks for what there is: %s', (_, query) => {
	const asked = [...query.matchAll(/\b((?:dragoman|nodejs|process)_\w+|up)\b(?:\{([^}]*)\})?/g)]
	expect(asked.length).toBeGreaterThan(0)
	const known = new Set(['instance', 'job'])
	for (const [, name = '', matchers = ''] of asked) {
		if (name === 'up') continue
		const metric = metricOf(name)
		expect(metric, name).toBeDefined()
		const labels = ['instance', 'job', ...(metric?.labelNames ?? []), ...(metric?.isBucket ? ['le'] : [])]
		for (const label of labels) known.add(label)
		for (const [, label = '', value = ''] of matchers.matchAll(/(\w+)[=!~]+"([^"]*)"/g)) {
			expect(labels, name).toContain(label)
			const one = value === '' || value.startsWith('$') ? [] : value.split('|')
			for (const each of one) expect(values[label] ?? [each], `${name} ${label}`).toContain(each)
		}
	}
	for (const [, list = ''] of query.matchAll(/\b(?:by|ignoring) \(([^)]*)\)/g)) {
		for (const label of list.split(', ')) expect([...known]).toContain(label)
	}
})

test('what each legend names is a label that is left', () => {
	const Targets = v.object({
		panels: v.array(
			v.object({ targets: v.optional(v.array(v.object({ expr: v.string(), legendFormat: v.string() })), []) }),
		),
	})
	const targets = v
		.parse(Targets, JSON.parse(read('deploy/grafana/dragoman.json')))
		.panels.flatMap(({ targets }) => targets)
	for (const { expr, legendFormat } of targets) {
		const by = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(', ') ?? ['instance']
		for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(by, expr).toContain(label)
	}
})

test('every metric of the gateway is on the dashboard, and explained in the page', () => {
	const page = read('docs/observability.md')
	const shown = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n')
	for (const name of own) {
		expect(page, name).toContain(`\`${name}\``)
		expect(shown, name).toContain(name)
	}
	for (const [, name = ''] of page.matchAll(/`(dragoman_\w+)`/g)) expect(own).toContain(name)
	for (const [, name = ''] of alerts.matchAll(/alert: (\w+)/g)) expect(page).toContain(`\`${name}\``)
})
