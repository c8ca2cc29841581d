/** Sealed texts on Node. */
import { afterAll } from 'vitest'
import { createRuntime } from '../src/node/node-runtime.ts'
import { sealsAlike } from './sealed.ts'

const runtime = createRuntime(() => {})
afterAll(() => runtime.close())

sealsAlike(runtime.crypto)
