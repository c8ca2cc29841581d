/** The outbox in the configuration: what it becomes, and what is wrong with it. */
import { expect, test } from 'vitest'
import { canonical } from '../../adapters/canonical/index.ts'
import { ConfigError, readConfig, readOutbox } from '../../src/config/index.ts'
import { keyOne, keyTwo } from './parts.ts'

const canary = 'canary-of-a-secret-value'
const env = { ONE: keyOne, TWO: keyTwo, ODD: canary }
const rest = {
	upstream: { url: 'http://127.0.0.1:9/' },
	routes: [{ name: 'in', path: '/in', platform: 'canonical' }],
}
const context = { adapters: [canonical], env, loopback: true }

test('only the file is required', () => {
	const { outbox } = readConfig({ ...rest, outbox: { file: 'outbox.db' } }, context)
	expect(outbox).toMatchObject({ file: 'outbox.db', keys: [], order: 'block', concurrency: 16, maxBytes: 2 ** 30 })
	expect(outbox?.retention).toEqual({ delivered: 0, dead: 30 * 86_400_000, maxBytes: 2 ** 29 })
	expect(readConfig(rest, context)).not.toHaveProperty('outbox')
})

test('everything can be set', () => {
	const retention = { delivered: '1d', dead: '90d', maxBytes: 0 }
	const given = {
		file: 'f',
		key: [{ env: 'TWO' }, { env: 'ONE' }],
		maxBytes: 2 ** 21,
		schedule: ['1ms', '2s', '3m', '4h'],
	}
	const all = { ...given, expiry: '7d', order: 'overtake', concurrency: 1, retention }
	const { outbox } = readConfig({ ...rest, outbox: all }, context)
	expect(outbox).toEqual({
		file: 'f',
		keys: [new Uint8Array(32).fill(2), new Uint8Array(32).fill(1)],
		maxBytes: 2 ** 21,
		schedule: [1, 2000, 180_000, 14_400_000],
		expiry: 7 * 86_400_000,
		order: 'overtake',
		concurrency: 1,
		retention: { delivered: 86_400_000, dead: 90 * 86_400_000, maxBytes: 0 },
	})
	expect(readOutbox({ outbox: all, routes: 'may be anything' }, env)).toEqual(outbox)
})

test('a database is the place instead of a file, and its URL stands in the environment', () => {
	const url = `postgresql://gateway:${canary}@db.example:5432/bots?sslmode=verify-full`
	const given = { postgres: { env: 'DATABASE_URL', migrate: true }, order: 'overtake' }
	const outbox = readOutbox({ outbox: given }, { DATABASE_URL: url })
	expect(outbox).toMatchObject({ postgres: { url, migrate: true }, order: 'overtake', concurrency: 16 })
	expect(outbox).not.toHaveProperty('file')
	const mistakes = (outbox: object, env: { [name: string]: string } = {}) => {
		try {
			return readOutbox({ outbox }, env)
		} catch (thrown) {
			return thrown instanceof ConfigError ? thrown.mistakes : thrown
		}
	}
	expect(mistakes(given)).toEqual(['outbox.postgres.env: the environment variable DATABASE_URL is not set'])
	expect(mistakes(given, { DATABASE_URL: canary })).toEqual([
		'outbox.postgres.env: the variable must hold a URL such as postgresql://user:password@host/database',
	])
	expect(mistakes({ ...given, file: 'f' }, { DATABASE_URL: url })).toEqual([
		'outbox: must have either "file" or "postgres"',
	])
	expect(mistakes({})).toEqual(['outbox: must have either "file" or "postgres"'])
	expect(mistakes({ postgres: { url } })).not.toContain(canary)
})

test('every mistake is reported by its path, without values', () => {
	const outbox = {
		colour: canary,
		key: [{ env: 'GONE' }, { env: 'ODD' }],
		maxBytes: 1,
		schedule: ['soon', '5s'],
		order: canary,
		retention: { dead: 5, maxBytes: 2 ** 40 },
	}
	const duration = 'must be a duration such as "30m": a whole number and ms, s, m, h or d'
	const mistakes = () => {
		try {
			readConfig({ ...rest, outbox }, context)
		} catch (thrown) {
			if (thrown instanceof ConfigError) return thrown.mistakes
		}
		return []
	}
	expect(mistakes()).toEqual([
		'outbox.colour: no such key',
		'outbox.maxBytes: must be at least 1048576',
		`outbox.schedule[0]: ${duration}`,
		'outbox.order: must be "block" or "overtake"',
		`outbox.retention.dead: ${duration}`,
		'outbox.key[0].env: the environment variable GONE is not set',
		'outbox.key[1].env: the environment variable ODD must hold 32 bytes in base64',
		'outbox: must have either "file" or "postgres"',
	])
	expect(() => readConfig({ ...rest, outbox: 'file' }, context)).toThrow(ConfigError)
})
