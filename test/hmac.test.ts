/** Signatures on Node. */
import { afterAll } from 'vitest'
import { createRuntime } from '../src/node/node-runtime.ts'
import { signAlike } from './hmac.ts'

const runtime = createRuntime(() => {})
afterAll(() => runtime.close())

signAlike(runtime.crypto)
