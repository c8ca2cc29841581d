/** The rows of part B: the process and its host. */
import type { Row } from '../row.ts'
import { diskFails } from './disk-fails.ts'
import { kills, refusals } from './kills.ts'
import { syncing, torn } from './power.ts'
import { restarts } from './restarts.ts'

export const host: readonly Row[] = [kills, refusals, syncing, torn, restarts, diskFails]
