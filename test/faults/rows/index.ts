/** Every row, in the order of the table. */
import type { Row } from '../row.ts'
import { acceptLatency } from './accept-latency.ts'
import { canaries } from './canaries.ts'
import { fuzzedBodies } from './fuzzed-bodies.ts'
import { overload } from './overload.ts'
import { upstreams } from './upstreams.ts'

export const rows: readonly Row[] = [...upstreams, overload, acceptLatency, fuzzedBodies, canaries]
