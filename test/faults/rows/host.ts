/** The rows of part B: the process and its host. */
import type { Row } from '../row.ts'
import { clock } from './clock.ts'
import { diskFails } from './disk-fails.ts'
import { diskFull } from './disk-full.ts'
import { files } from './files.ts'
import { heap } from './heap.ts'
import { kills, refusals } from './kills.ts'
import { syncing, torn } from './power.ts'
import { reload } from './reload.ts'
import { restarts, stays } from './restarts.ts'
import { slowDisk } from './slow-disk.ts'
import { throws } from './throws.ts'

export const host: readonly Row[] = [
	...[
		kills,
		refusals,
		syncing,
		torn,
		restarts,
		stays,
		diskFull,
		diskFails,
		slowDisk,
		files,
		heap,
		clock,
		reload,
		throws,
	],
]
