/** Every row, in the order of the table. */
import type { Row } from '../row.ts'
import { acceptLatency } from './accept-latency.ts'
import { canaries } from './canaries.ts'
import { fuzzedBodies } from './fuzzed-bodies.ts'
import { overload } from './overload.ts'
import { redirect } from './redirect.ts'

export const rows: readonly Row[] = [redirect, overload, acceptLatency, fuzzedBodies, canaries]
