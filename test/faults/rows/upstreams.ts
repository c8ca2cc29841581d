/** The rows of part A: the upstream misbehaves. */
import type { Row } from '../row.ts'
import { backlog } from './backlog.ts'
import { blackhole } from './blackhole.ts'
import { bomb } from './bomb.ts'
import { brokenOff } from './broken-off.ts'
import { down } from './down.ts'
import { drip } from './drip.ts'
import { flapping } from './flapping.ts'
import { headers } from './headers.ts'
import { hedging } from './hedging.ts'
import { holding } from './holding.ts'
import { malformed } from './malformed.ts'
import { misbehaving } from './misbehaving.ts'
import { oversized } from './oversized.ts'
import { redirect } from './redirect.ts'
import { retryAfter } from './retry-after.ts'
import { reuse } from './reuse.ts'
import { slow } from './slow.ts'
import { types } from './types.ts'

export const upstreams: readonly Row[] = [
	...[down, blackhole, slow, holding, drip, brokenOff, malformed, oversized, bomb, types, flapping, retryAfter],
	...[redirect, reuse, headers, backlog, hedging, misbehaving],
]
