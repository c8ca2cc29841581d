/** The rows of part A: the upstream misbehaves. */
import type { Row } from '../row.ts'
import { blackhole } from './blackhole.ts'
import { bomb } from './bomb.ts'
import { brokenOff } from './broken-off.ts'
import { drip } from './drip.ts'
import { headers } from './headers.ts'
import { malformed } from './malformed.ts'
import { misbehaving } from './misbehaving.ts'
import { oversized } from './oversized.ts'
import { redirect } from './redirect.ts'
import { slow } from './slow.ts'
import { types } from './types.ts'

export const upstreams: readonly Row[] = [
	...[blackhole, slow, drip, brokenOff, malformed, oversized, bomb, types, redirect, headers, misbehaving],
]
