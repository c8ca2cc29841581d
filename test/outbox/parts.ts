/** What tests of the outbox share: an outbox in this thread, which goes with the test. */
import { onTestFinished } from 'vitest'
import { outboxRig } from './rig.ts'

export * from './rig.ts'

export const { folder, settingsOf, storeOf, outboxOn } = outboxRig(onTestFinished)
