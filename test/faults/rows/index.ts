/** Every row, in the order of the table. */
import type { Row } from '../row.ts'
import { callers } from './callers.ts'
import { deliveries } from './deliveries.ts'
import { host } from './host.ts'
import { upstreams } from './upstreams.ts'

export const rows: readonly Row[] = [...upstreams, ...host, ...deliveries, ...callers]
