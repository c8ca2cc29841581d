/** The rows of part B: the process and its host. */
import type { Row } from '../row.ts'
import { diskFails } from './disk-fails.ts'
import { files } from './files.ts'
import { kills, refusals } from './kills.ts'
import { syncing, torn } from './power.ts'
import { reload } from './reload.ts'
import { restarts } from './restarts.ts'
import { throws } from './throws.ts'

export const host: readonly Row[] = [kills, refusals, syncing, torn, restarts, diskFails, files, reload, throws]
