/** Every row, in the order of the table. */
import type { Row } from '../row.ts'
import { acceptLatency } from './accept-latency.ts'
import { blackhole } from './blackhole.ts'
import { bomb } from './bomb.ts'
import { brokenOff } from './broken-off.ts'
import { drip } from './drip.ts'
import { fuzzedBodies } from './fuzzed-bodies.ts'
import { headers } from './headers.ts'
import { malformed } from './malformed.ts'
import { misbehaving } from './misbehaving.ts'
import { overload } from './overload.ts'
import { oversized } from './oversized.ts'
import { redirect } from './redirect.ts'
import { slow } from './slow.ts'
import { types } from './types.ts'

const upstreams: readonly Row[] = [
	...[blackhole, slow, drip, brokenOff, malformed, oversized, bomb, types, redirect, headers, misbehaving],
]

export const rows: readonly Row[] = [...upstreams, overload, acceptLatency, fuzzedBodies]
