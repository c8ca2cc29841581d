import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { planted } from './faults/plants/plant.ts'
import { plants } from './faults/plants/plants.ts'

const root = join(import.meta.dirname, '..')

test.each(plants.map((plant) => [plant.id, plant] as const))('the planted fault %s fits the code', (_, plant) => {
	expect(planted(plant, root).size).toBeGreaterThan(0)
	if ('file' in plant.caughtBy) expect(existsSync(join(root, plant.caughtBy.file))).toBe(true)
})

test('each planted fault has a name of its own', () => {
	const ids = plants.map(({ id }) => id)
	expect(new Set(ids).size).toBe(ids.length)
})
