/** The rows of part C: delivery. */
import type { Row } from '../row.ts'
import { duplicates } from './duplicates.ts'
import { order } from './order.ts'
import { poison } from './poison.ts'
import { repeats } from './repeats.ts'
import { schedule } from './schedule.ts'
import { translations } from './translations.ts'

export const deliveries: readonly Row[] = [duplicates, repeats, order, poison, schedule, translations]
