/** Every row, in the order of the table: whatever the files of its five parts export as one. */
import { globSync } from 'node:fs'
import type { Row } from './row.ts'

const files = globSync('{upstream,host,delivery,callers,nodes}/*.ts', { cwd: import.meta.dirname })
const modules: readonly object[] = await Promise.all(files.map((file) => import(`./${file}`)))

export const rows: readonly Row[] = modules
	.flatMap((exports) => Object.values(exports).flat())
	.filter(isRow)
	.toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }))

function isRow(exported: unknown): exported is Row {
	return typeof exported === 'object' && exported !== null && 'demand' in exported
}
